import "./theme/fonts.css";
import "./theme/tokens.css";
import "./theme/page.css";
import "./theme/charts.css";
import { render } from "preact";
import { App } from "./app";
import { startLive } from "./state/live";
import { startRun } from "./state/run";
import { startRuns } from "./state/runs";
import { followLinks } from "./state/url";

followLinks();
startRuns();
startRun();
startLive();
render(<App />, document.getElementById("page")!);

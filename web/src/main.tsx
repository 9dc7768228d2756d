import "./theme/fonts.css";
import "./theme/tokens.css";
import "./theme/page.css";
import "./theme/charts.css";
import { render } from "preact";
import { App } from "./app";
import { startColouring } from "./state/colouring";
import { startLive } from "./state/live";
import { startRun } from "./state/run";
import { startRuns } from "./state/runs";
import { followLinks } from "./state/url";

followLinks();
startRuns();
startRun();
startColouring();
startLive();
render(<App />, document.getElementById("page")!);

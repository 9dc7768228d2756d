/** Chooses the page for the address, and listens to the keys. */

import { useEffect } from "preact/hooks";
import { Notice } from "./components/Notice";
import { TopBar } from "./components/TopBar";
import { keys } from "./keys";
import { Lazy } from "./run/Lazy";
import { Workspace } from "./pages/Workspace";
import { helpIsOpen, session } from "./state/store";
import { route } from "./state/url";

const loadHelp = () => import("./components/Help");
const loadLogin = () => import("./pages/Login");
const loadProjects = () => import("./pages/Projects");
const loadRun = () => import("./pages/RunPage");
const loadCompare = () => import("./compare/ComparePage");

export function App() {
  useEffect(() => {
    addEventListener("keydown", keys);
    return () => removeEventListener("keydown", keys);
  }, []);
  if (session.value === "out") return <Lazy load={loadLogin} />;
  return (
    <>
      <Page />
      {helpIsOpen.value && <Lazy load={loadHelp} />}
    </>
  );
}

function Page() {
  const at = route.value;
  if (at.page === "projects") return <Lazy load={loadProjects} />;
  if (at.page === "workspace") return <Workspace key={at.project} project={at.project} />;
  if (at.page === "compare") return <Lazy key={at.project} load={loadCompare} project={at.project} />;
  if (at.page === "run") return <Lazy key={`${at.project}/${at.run}`} load={loadRun} project={at.project} id={at.run} />;
  return (
    <>
      <TopBar crumbs={[]} />
      <main class="projects">
        <Notice title="There is no such page"><p><a class="button" href="/">All projects</a></p></Notice>
      </main>
    </>
  );
}

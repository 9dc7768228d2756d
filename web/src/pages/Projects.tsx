/** All projects of the server. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api, type ApiError } from "../api/client";
import type { ProjectRow } from "../api/types";
import { ErrorNotice, FIRST_RUN, Notice, Snippet } from "../components/Notice";
import { SearchBox } from "../components/SearchBox";
import { TopBar } from "../components/TopBar";
import { plural } from "../format/number";
import { formatAgo, formatTime } from "../format/time";
import { noteAnswer, noteFailure, now } from "../state/store";
import { projectPath, setView, view } from "../state/url";

const EVERY_MS = 8000;

export default function Projects() {
  const projects = useSignal<ProjectRow[] | null>(null);
  const error = useSignal<ApiError | null>(null);
  const load = async (): Promise<void> => {
    try {
      projects.value = (await api.projects()).projects;
      error.value = null;
      noteAnswer();
    } catch (failure) {
      error.value = noteFailure(failure);
    }
  };
  useEffect(() => {
    document.title = "Outrider";
    void load();
    const timer = setInterval(() => void (document.hidden || load()), EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  const words = view.value.search.toLowerCase();
  const found = projects.value
    ?.filter((one) => one.name.toLowerCase().includes(words))
    .sort((a, b) => (b.updated ?? 0) - (a.updated ?? 0));
  return (
    <>
      <TopBar crumbs={[]} />
      <main class="projects">
        {error.value && <ErrorNotice error={error.value} onRetry={() => void load()} />}
        {!found && !error.value && <div class="skeleton-rows" role="status" aria-label="Loading projects" />}
        {found && (
          <>
            <div class="projects-head">
              <h1>Projects</h1>
              {projects.value!.length > 8 && (
                <SearchBox label="Search projects" placeholder="Search projects" value={view.value.search} isMain onValue={(search) => setView({ search })} />
              )}
            </div>
            {projects.value!.length === 0
              ? <FirstProject />
              : found.length === 0
                ? <Notice title="No project matches" />
                : <ul class="project-list">{found.map((one) => <ProjectItem key={one.name} project={one} />)}</ul>}
          </>
        )}
      </main>
    </>
  );
}

function ProjectItem({ project }: { project: ProjectRow }) {
  return (
    <li>
      <a class="project" href={projectPath(project.name)}>
        <span class="project-name clip" title={project.name}>{project.name}</span>
        <span class="project-live">
          {project.running > 0 && <><span class="dot-live" aria-hidden="true" />{project.running} running</>}
        </span>
        <span class="project-runs">{plural(project.runs, "run")}</span>
        <span class="project-time faint" title={formatTime(project.updated)}>{formatAgo(project.updated, now.value / 1000)}</span>
      </a>
    </li>
  );
}

function FirstProject() {
  return (
    <Notice title="Nothing logged yet">
      <p>Put these lines into a script and run it. Its charts appear here while it trains.</p>
      <Snippet label="Python that logs a first run" code={FIRST_RUN("my-project")} />
      <p>Or let <code>outrider demo</code> train a small model on real data.</p>
    </Notice>
  );
}

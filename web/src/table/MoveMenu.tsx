/** Puts the selected runs into another project, or a new one. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api } from "../api/client";
import { Menu } from "../components/Menu";
import { noteFailure } from "../state/store";
import { move } from "./moving";

interface Props { project: string; ids: readonly string[] }

export function MoveMenu({ project, ids }: Props) {
  return (
    <Menu label="Move the selected runs" align="end" isSmall button={<span class="small">Move</span>}>
      <Targets project={project} ids={ids} />
    </Menu>
  );
}

function Targets({ project, ids }: Props) {
  const typed = useSignal("");
  const names = useSignal<readonly string[]>([]);
  useEffect(() => {
    api.projects().then((answer) => (names.value = answer.projects.map((one) => one.name).filter((name) => name !== project)), noteFailure);
  }, [project]);
  const words = typed.value.trim().toLowerCase();
  const found = names.value.filter((name) => name.toLowerCase().includes(words));
  const target = typed.value.trim();
  return (
    <>
      <form class="menu-line" onSubmit={(event) => (event.preventDefault(), void move(project, ids, target))}>
        <input class="field" aria-label="Project to move to" placeholder="A project, or a new one" maxLength={128} value={typed.value}
          onInput={(event) => (typed.value = event.currentTarget.value)} />
        <button class="button" type="submit" disabled={target === "" || target === project}>Move</button>
      </form>
      <div class="menu-scroll">
        {found.map((name) => (
          <button key={name} class="menu-item" aria-label={`Move to ${name}`} onClick={() => void move(project, ids, name)}><span class="clip">{name}</span></button>
        ))}
      </div>
      <p class="menu-note">A run that still trains keeps arriving where it is moved to, and its old links lead there.</p>
    </>
  );
}

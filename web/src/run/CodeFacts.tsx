/** What is known of a run's code and of the surroundings it ran in. */

import { useSignal } from "@preact/signals";
import type { CodeAnswer } from "../api/records";
import type { Value } from "../api/types";
import { SearchBox } from "../components/SearchBox";
import { formatValue, plural } from "../format/number";
import { runPath } from "../state/url";
import { CopyButton } from "./CopyButton";
import { Fact, Facts, quoted, words } from "./Overview";

const text = (value: Value | undefined): string | null => (typeof value === "string" && value !== "" ? value : null);

export function CodeFacts({ answer, project, run }: { answer: CodeAnswer; project: string; run: string }) {
  const code = answer.code ?? {};
  const commit = text(code.commit);
  const patch = code.patch as { size?: number; redacted?: number; state?: string } | null | undefined;
  const restore = `outrider restore ${quoted(`${project}/${run}`)}`;
  const leftOut = Array.isArray(code.left_out) ? code.left_out : [];
  return (
    <>
      <Fact name="Commit">
        {commit && (
          <span class="command">
            {answer.web ? <a class="link" href={answer.web} target="_blank" rel="noreferrer noopener"><code>{commit.slice(0, 12)}</code> ↗</a> : <code>{commit.slice(0, 12)}</code>}
            <CopyButton text={commit} label="Copy the commit" />
          </span>
        )}
      </Fact>
      <Fact name="Branch">{text(code.branch)}</Fact>
      <Fact name="Remote">{text(code.remote)}</Fact>
      <Fact name="Changes">
        {code.dirty === true
          ? <a class="link" href={`${runPath(project, run)}?tab=code`}>uncommitted changes{patch?.redacted ? `, ${plural(patch.redacted, "line")} redacted` : ""}</a>
          : code.dirty === false && (commit ? "none: the commit is what ran" : "not known: no commit was found")}
      </Fact>
      <Fact name="Left out">{leftOut.length > 0 && leftOut.map(formatValue).join(", ")}</Fact>
      <Fact name="Restore"><span class="command"><code>{restore}</code><CopyButton text={restore} label="Copy the command" /></span></Fact>
    </>
  );
}

/** Packages apart (there are many), everything else as facts. */
export function EnvironmentFacts({ environment }: { environment: Record<string, Value> }) {
  const { packages, ...rest } = environment;
  return (
    <>
      <Facts title="Environment">
        {Object.entries(rest).map(([name, value]) => value !== null && <Fact key={name} name={words(name)}>{isMap(value) ? Object.entries(value).map(([k, v]) => `${k} ${formatValue(v)}`).join(", ") : formatValue(value)}</Fact>)}
      </Facts>
      <Packages packages={packages} />
    </>
  );
}

const isMap = (value: Value | undefined): value is Record<string, Value> => value !== null && typeof value === "object" && !Array.isArray(value);

/** `{name: version}`, `[[name, version]]` or `["name==version"]`. */
export function packageRows(packages: Value | undefined): [string, string][] {
  if (isMap(packages)) return Object.entries(packages).map(([name, version]) => [name, formatValue(version)]);
  if (!Array.isArray(packages)) return [];
  return packages.map((one): [string, string] => {
    if (Array.isArray(one)) return [formatValue(one[0]), formatValue(one[1])];
    const [name = "", version = ""] = formatValue(one).split("==");
    return [name, version];
  });
}

function Packages({ packages }: { packages: Value | undefined }) {
  const search = useSignal("");
  const all = packageRows(packages);
  if (all.length === 0) return null;
  const found = all.filter(([name]) => name.toLowerCase().includes(search.value.toLowerCase()));
  return (
    <section class="facts packages">
      <details>
        <summary><h2>{plural(all.length, "package")}</h2></summary>
        <SearchBox label="Search packages" placeholder="Search packages" value={search.value} onValue={(next) => (search.value = next)} />
        <dl>{found.map(([name, version]) => <div key={name}><dt>{name}</dt><dd><code>{version}</code></dd></div>)}</dl>
      </details>
    </section>
  );
}

/** The facts of a run: config and summary beside its times, program, code, machine, attempts and writers. */

import type { ComponentChildren } from "preact";
import { records } from "../api/records";
import type { RunAnswer } from "../api/types";
import { endReason } from "../components/RunHead";
import { liveDuration } from "../components/RunRow";
import { StateMark } from "../components/StateMark";
import { plural } from "../format/number";
import { formatDuration, formatTime } from "../format/time";
import { runTime } from "../state/run";
import { CodeFacts, EnvironmentFacts } from "./CodeFacts";
import { ConfigPanel } from "./ConfigPanel";
import { CopyButton } from "./CopyButton";
import { machineFacts } from "./machine";
import { useResource } from "./resource";

export default function Overview({ record }: { record: RunAnswer }) {
  const { project, id } = record;
  const code = useResource(record.has?.code ? JSON.stringify(["code", project, id]) : null, (signal) => records.code(project, id, signal),
    { project, run: id, kinds: ["code", "environment"] });
  const command = record.argv && record.argv.length > 0 ? record.argv.map(quoted).join(" ") : null;
  return (
    <div class="overview">
      <div class="overview-main"><ConfigPanel record={record} /></div>
      <div class="overview-side">
        <Facts title="Run">
          <Fact name="Id"><code>{record.id}</code></Fact>
          <Fact name="State"><StateMark state={record.state} hasWord /></Fact>
          <Fact name="Reason">{endReason(record.end)}</Fact>
          <Fact name="Exit code">{record.end?.code}</Fact>
          <Fact name="Started">{formatTime(record.started ?? record.created)}</Fact>
          <Fact name="Ended">{record.ended && formatTime(record.ended)}</Fact>
          <Fact name="Last record">{record.updated && formatTime(record.updated)}</Fact>
          <Fact name="Duration">{formatDuration(liveDuration(record, runTime.value))}</Fact>
          <Fact name="Group">{record.group}</Fact>
          <Fact name="Job type">{record.job_type}</Fact>
          <Fact name="Gaps">{record.gaps > 0 ? `${plural(record.gaps, "record")} could not be kept` : "none: every record is here"}</Fact>
        </Facts>
        <Facts title="Program">
          <Fact name="Command">{command && <span class="command"><code>{command}</code><CopyButton text={command} label="Copy the command" /></span>}</Fact>
          <Fact name="Program">{record.program && record.program !== record.argv?.[0] && <code>{record.program}</code>}</Fact>
          <Fact name="Folder">{record.cwd && <code>{record.cwd}</code>}</Fact>
          <Fact name="Python">{record.python}</Fact>
        </Facts>
        {code.data?.code && <Facts title="Git"><CodeFacts answer={code.data} project={project} run={id} /></Facts>}
        {record.attempts.length > 1 && (
          <Facts title="Attempts">
            {record.attempts.map((one) => (
              <Fact key={one.a} name={`Attempt ${one.a}`}>
                {formatTime(one.t)}{one.rewind !== null && `, rewound to step ${one.rewind.toLocaleString("en-US")}`}
              </Fact>
            ))}
          </Facts>
        )}
        {Object.entries(record.hosts).map(([host, facts]) => (
          <Facts key={host} title={`Machine ${host}`}>
            {machineFacts(facts).map(([name, value]) => <Fact key={name} name={name}>{value}</Fact>)}
          </Facts>
        ))}
        {code.data?.environment && <EnvironmentFacts environment={code.data.environment} />}
        <section class="facts">
          <h2>Writers</h2>
          <div class="table-scroll" tabIndex={0} role="group" aria-label="Writers">
            <table>
              <thead><tr><th scope="col">Writer</th><th scope="col">Role</th><th scope="col">Host</th><th scope="col">Process</th><th scope="col">Attempt</th><th scope="col">End</th></tr></thead>
              <tbody>
                {record.writers.map((one) => (
                  <tr key={one.writer}>
                    <td><code>{one.writer}</code></td><td>{one.role}</td><td>{one.host}</td><td>{one.pid}</td><td>{one.attempt}</td>
                    <td>{one.state ? <StateMark state={one.state} hasWord /> : "–"}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </section>
      </div>
    </div>
  );
}

/** An argument as a shell reads it back. */
export const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

export const words = (name: string): string => {
  const text = name.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
};

export function Facts({ title, children }: { title: string; children: ComponentChildren }) {
  return <section class="facts"><h2>{title}</h2><dl>{children}</dl></section>;
}

export function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  if (children === null || children === undefined || children === false || children === "") return null;
  return <div><dt>{name}</dt><dd>{children}</dd></div>;
}

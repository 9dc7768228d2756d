/** The facts of a run: times, place, program, attempts, writers. */

import type { ComponentChildren } from "preact";
import type { RunAnswer } from "../api/types";
import { formatValue, plural } from "../format/number";
import { formatDuration, formatTime } from "../format/time";
import { runTime } from "../state/run";
import { endReason } from "./RunHead";
import { liveDuration } from "./RunRow";
import { StateMark } from "./StateMark";

export function Overview({ record }: { record: RunAnswer }) {
  return (
    <div class="overview">
      <Facts title="Run">
        <Fact name="Id"><code>{record.id}</code></Fact>
        <Fact name="State"><StateMark state={record.state} hasWord /></Fact>
        <Fact name="Reason">{endReason(record.end)}</Fact>
        <Fact name="Exit code">{record.end?.code}</Fact>
        <Fact name="Created">{formatTime(record.created)}</Fact>
        <Fact name="Started">{record.started && formatTime(record.started)}</Fact>
        <Fact name="Ended">{record.ended && formatTime(record.ended)}</Fact>
        <Fact name="Last record">{record.updated && formatTime(record.updated)}</Fact>
        <Fact name="Duration">{formatDuration(liveDuration(record, runTime.value))}</Fact>
        <Fact name="Group">{record.group}</Fact>
        <Fact name="Job type">{record.job_type}</Fact>
        <Fact name="Tags">{record.tags.length > 0 && record.tags.join(", ")}</Fact>
        <Fact name="Gaps">{record.gaps > 0 ? `${plural(record.gaps, "record")} could not be kept` : "none: every record is here"}</Fact>
      </Facts>
      <Facts title="Program">
        <Fact name="Program">{record.program && <code>{record.program}</code>}</Fact>
        <Fact name="Arguments">{record.argv && record.argv.length > 0 && <code>{record.argv.join(" ")}</code>}</Fact>
        <Fact name="Python">{record.python}</Fact>
        <Fact name="Host">{record.host}</Fact>
      </Facts>
      {record.attempts.length > 1 && (
        <Facts title="Attempts">
          {record.attempts.map((one) => (
            <Fact key={one.a} name={`Attempt ${one.a}`}>
              {formatTime(one.t)}{one.rewind !== null && `, rewound to step ${one.rewind.toLocaleString("en-US")}`}
            </Fact>
          ))}
        </Facts>
      )}
      <section class="facts">
        <h2>Writers</h2>
        <div class="table-scroll">
          <table>
            <thead><tr><th>Writer</th><th>Role</th><th>Host</th><th>Process</th><th>Attempt</th><th>End</th></tr></thead>
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
      {Object.entries(record.hosts).map(([host, facts]) => (
        <Facts key={host} title={`Machine ${host}`}>
          {Object.entries(facts).map(([name, value]) => <Fact key={name} name={name}>{formatValue(value)}</Fact>)}
        </Facts>
      ))}
    </div>
  );
}

function Facts({ title, children }: { title: string; children: ComponentChildren }) {
  return <section class="facts"><h2>{title}</h2><dl>{children}</dl></section>;
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  if (children === null || children === undefined || children === false || children === "") return null;
  return <div><dt>{name}</dt><dd>{children}</dd></div>;
}

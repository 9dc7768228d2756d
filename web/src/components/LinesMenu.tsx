/** What the lines are: runs or groups of them, their colours, and the run that they are compared with. */

import { fieldLabel } from "../state/groups";
import { columns, known, shown } from "../state/runs";
import { BANDS, setView, view, type Centre } from "../state/url";

const OWN_FIELDS = ["group", "job_type", "tags", "state", "host"];
const BAND_WORDS: Record<(typeof BANDS)[number], string> = {
  minmax: "min to max", std: "± standard deviation", stderr: "± standard error", "quantiles:0.25": "middle half (25–75 %)",
  "quantiles:0.1": "10–90 %", "quantiles:0.05": "5–95 %", none: "no band",
};

export default function LinesMenu() {
  const { group, centre, band, colour, baseline } = view.value;
  const config = (columns.value?.config ?? []).map((one) => `config.${one.key}`);
  const summary = (columns.value?.summary ?? []).map((one) => `summary.${one.key}`);
  return (
    <div class="lines-menu">
      <Pick label="Group by" value={group ?? ""} onValue={(next) => setView({ group: next || null, expand: [] }, { push: true })}>
        <option value="">nothing: a line a run</option>
        <Fields names={OWN_FIELDS} label="Run" />
        <Fields names={config} label="Config" />
        {group !== null && !OWN_FIELDS.includes(group) && !config.includes(group) && <option value={group}>{group}</option>}
      </Pick>
      {group !== null && (
        <>
          <Pick label="Line" value={centre} onValue={(next) => setView({ centre: next as Centre })}>
            <option value="mean">mean of all runs</option>
            <option value="median">median of all runs</option>
          </Pick>
          <Pick label="Band" value={band} onValue={(next) => setView({ band: next })}>
            {BANDS.map((one) => <option key={one} value={one}>{BAND_WORDS[one]}</option>)}
          </Pick>
        </>
      )}
      <Pick label="Colour by" value={colour ?? ""} isOff={group !== null} onValue={(next) => setView({ colour: next || null }, { push: true })}>
        <option value="">run</option>
        <Fields names={["group", "job_type", "state", "duration", "created"]} label="Run" />
        <Fields names={config} label="Config" />
        <Fields names={summary} label="Summary" />
        {colour !== null && !config.includes(colour) && !summary.includes(colour) && !["group", "job_type", "state", "duration", "created"].includes(colour) && <option value={colour}>{colour}</option>}
      </Pick>
      <Pick label="Baseline" value={baseline ?? ""} onValue={(next) => setView({ baseline: next || null }, { push: true })}>
        <option value="">none</option>
        {shown.value.map((one) => <option key={one.id} value={one.id}>{one.name}</option>)}
        {baseline !== null && !shown.value.some((one) => one.id === baseline) && <option value={baseline}>{known.value.get(baseline)?.name || baseline}</option>}
      </Pick>
      <p class="menu-note">A group is every run of the list with that value, however many lines are shown.</p>
    </div>
  );
}

function Fields({ names, label }: { names: readonly string[]; label: string }) {
  if (names.length === 0) return null;
  return <optgroup label={label}>{names.map((one) => <option key={one} value={one}>{fieldLabel(one)}</option>)}</optgroup>;
}

interface PickProps { label: string; value: string; isOff?: boolean; onValue: (value: string) => void; children: preact.ComponentChildren }

function Pick({ label, value, isOff = false, onValue, children }: PickProps) {
  return (
    <label class="menu-line">
      <span>{label}</span>
      <select aria-label={label} value={value} disabled={isOff} onChange={(event) => onValue(event.currentTarget.value)}>{children}</select>
    </label>
  );
}

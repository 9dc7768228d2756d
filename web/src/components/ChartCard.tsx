/** The card of a metric or of a chart that a user made. */

import { ownId, ownTitle } from "../state/cards";
import type { Shown } from "../state/runs";
import { view } from "../state/url";
import { Lazy } from "../run/Lazy";
import { Card, type CardPlace } from "./Card";
import { LinesBody } from "./LinesBody";

const HEIGHTS = { s: 148, m: 208, l: 320 };
const FEW_HEIGHT = 264;
const loadOwn = () => import("../own/OwnBody");

interface Props {
  project: string;
  metric: string;
  runs: readonly Shown[];
  inSection: string;
  height?: number;
  isFew?: boolean;
  place?: CardPlace | null;
}

export function ChartCard({ project, metric, runs, inSection, height, isFew = false, place = null }: Props) {
  const usual = height ?? (isFew && view.value.size === "m" ? FEW_HEIGHT : HEIGHTS[view.value.size]);
  const id = `${inSection}:${metric}:${height ?? ""}`;
  const own = view.value.own.find((one) => one.id === ownId(metric));
  if (own) {
    const title = ownTitle(own);
    const sources = own.kind === "expression" ? [{ key: own.expression, isExpression: true }] : own.fields.map((key) => ({ key }));
    return (
      <Card cardKey={metric} label={title} title={title} place={place} height={usual}>
        {(tall) => own.kind === "lines" || own.kind === "expression"
          ? <LinesBody key={JSON.stringify(sources)} project={project} sources={sources} runs={runs} cardKey={metric} title={title} height={tall} id={id} />
          : <Lazy load={loadOwn} project={project} chart={own} runs={runs} height={tall} id={id} />}
      </Card>
    );
  }
  const leaf = inSection !== "" && metric.startsWith(`${inSection}/`) ? metric.slice(inSection.length + 1) : metric;
  return (
    <Card cardKey={metric} label={metric} title={leaf} place={place} height={usual}>
      {(tall) => <LinesBody project={project} sources={[{ key: metric }]} runs={runs} cardKey={metric} title={metric} height={tall} id={id} />}
    </Card>
  );
}

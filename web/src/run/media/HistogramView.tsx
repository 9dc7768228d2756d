/** One histogram as bars. */

import { formatNumber } from "../../format/number";

export interface Histogram { counts: number[]; edges: number[]; nonfinite?: number }

const WIDTH = 400;
const HEIGHT = 130;

export function HistogramView({ histogram }: { histogram: Histogram }) {
  const { counts, edges, nonfinite } = histogram;
  const low = edges[0] ?? 0;
  const high = edges[edges.length - 1] ?? 1;
  const most = Math.max(1e-300, ...counts);
  const total = counts.reduce((sum, one) => sum + one, 0);
  const x = (value: number): number => (WIDTH * (value - low)) / (high - low || 1);
  return (
    <div class="histogram">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img"
        aria-label={`Histogram of ${formatNumber(total)} values from ${formatNumber(low)} to ${formatNumber(high)}, most in a bin: ${formatNumber(most)}`}>
        {counts.map((count, i) => {
          const height = (HEIGHT * count) / most;
          const width = Math.max(0.5, x(edges[i + 1] ?? high) - x(edges[i] ?? low) - 0.5);
          return (
            <rect key={i} class="histogram-bar" x={x(edges[i] ?? low)} y={HEIGHT - height} width={width} height={height}>
              <title>{`${formatNumber(edges[i] ?? low)} … ${formatNumber(edges[i + 1] ?? high)}: ${formatNumber(count)}`}</title>
            </rect>
          );
        })}
      </svg>
      <div class="histogram-axis faint small"><span>{formatNumber(low)}</span><span>{formatNumber(total)} values{nonfinite ? `, ${formatNumber(nonfinite)} NaN or infinite` : ""}</span><span>{formatNumber(high)}</span></div>
    </div>
  );
}

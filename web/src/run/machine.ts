/** What a machine said of itself, as names and words: one line for each of its GPUs. */

import type { Value } from "../api/types";
import { formatValue } from "../format/number";
import { flatten } from "./values";

export function machineFacts(facts: Record<string, Value>): [string, string][] {
  const { gpus, ...rest } = facts;
  const plain = flatten(rest).flatMap(([name, value]): [string, string][] => (value === null ? [] : [[title(name), shown(name, value)]]));
  const list = Array.isArray(gpus) ? gpus : [];
  return [...plain, ...list.map((one, place): [string, string] => [`GPU ${place}`, gpu(one)])];
}

/** Its model, memory and power limit, as far as they are known. */
function gpu(told: Value): string {
  if (told === null || typeof told !== "object" || Array.isArray(told)) return formatValue(told);
  const { name, memory_bytes: memory, power_limit_watts: watts } = told;
  const known = [
    name ? formatValue(name) : "unknown model",
    typeof memory === "number" ? shown("memory_bytes", memory) : null,
    typeof watts === "number" ? `limit ${formatValue(watts)} W` : null,
  ];
  return known.filter((word) => word !== null).join(", ");
}

const NAMES: Record<string, string> = { cuda: "CUDA", gpu_driver: "GPU driver", os: "System" };

const title = (name: string): string => {
  const text = NAMES[name] ?? name.replaceAll(/[._]/g, " ").replace(/^cpu /, "CPU ").replace(/ bytes$/, "");
  return text.charAt(0).toUpperCase() + text.slice(1);
};

const shown = (name: string, value: Value): string =>
  typeof value === "number" && /(bytes|memory)/.test(name) && value > 1e6 ? `${(value / 2 ** 30).toFixed(1)} GiB` : formatValue(value);

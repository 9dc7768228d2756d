/** Filters as people click them: conditions joined with `and`, in the server's filter language. */

export type Operator = "=" | "!=" | "<" | "<=" | ">" | ">=" | "~" | "!~" | "has" | "has not" | "is empty" | "is there";

const quoted = (text: string): string => `"${text.replace(/[\\"]/g, "\\$&")}"`;

/** `summary.val/acc` stays as it is, `config.a b` is quoted. */
export function nameWord(field: string): string {
  const [, kind, key] = /^(config|summary|metric)\.(.*)$/s.exec(field) ?? [];
  if (kind === undefined || key === undefined) return field;
  return /^[\w./-]+$/.test(key) ? field : `${kind}.${quoted(key)}`;
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const TEXT_FIELDS = new Set(["id", "name", "state", "group", "job_type", "notes", "host"]);

/** The text of one condition. Numbers and true, false are taken as such where the field may hold them. */
export function conditionText(field: string, operator: Operator, value: string): string {
  const name = nameWord(field);
  if (operator === "is empty") return `${name} = null`;
  if (operator === "is there") return `${name} != null`;
  if (operator === "has") return `tags has ${quoted(value)}`;
  if (operator === "has not") return `not tags has ${quoted(value)}`;
  const typed = value.trim();
  const isText = TEXT_FIELDS.has(field) || operator === "~" || operator === "!~";
  const isPlain = !isText && (NUMBER.test(typed) || typed === "true" || typed === "false");
  return `${name} ${operator} ${isPlain ? typed : quoted(isText ? value : typed)}`;
}

/** The conditions that a filter joins with `and`, as they are written; null when it is joined otherwise. */
export function splitConditions(filter: string): string[] | null {
  const words = filter.match(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[()]|[^\s()"']+|\s+|["']/gs) ?? [];
  const parts = [""];
  let depth = 0;
  for (const word of words) {
    if (word === "(") depth += 1;
    else if (word === ")") depth -= 1;
    const lower = word.toLowerCase();
    if (depth === 0 && lower === "or") return null;
    if (depth === 0 && lower === "and") parts.push("");
    else parts[parts.length - 1] += word;
  }
  return depth === 0 ? parts.map((one) => one.trim()).filter(Boolean) : null;
}

/** The filter with one more condition. */
export function withCondition(filter: string, condition: string): string {
  const before = filter.trim();
  if (!before) return condition;
  return `${splitConditions(before) === null ? `(${before})` : before} and ${condition}`;
}

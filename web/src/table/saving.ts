/** Saves the whole table, not what is loaded of it: every run of the filter, in the list's order. */

import { api, part, queryString } from "../api/client";
import type { RunRow, Value } from "../api/types";
import { fileName, toCsv } from "../chart/export";
import { project, question } from "../state/runs";
import { columnValue, shownKeys } from "./columns";
import { tellFailure } from "./going";

const PAGE = 2000;
const ALWAYS = ["id", "name", "state"];

export const tableColumns = (): string[] => [...ALWAYS, ...shownKeys.value.filter((one) => !ALWAYS.includes(one))];

function cell(row: RunRow, key: string): string | number {
  if (key === "id") return row.id;
  if (key === "tags") return row.tags.join(", ");
  const value: Value | undefined = columnValue(row, key);
  if (key === "created" && typeof value === "number") return new Date(value * 1000).toISOString();
  if (value === null || value === undefined) return "";
  return typeof value === "number" || typeof value === "string" ? value : JSON.stringify(value);
}

function give(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

export async function saveCsv(): Promise<void> {
  const name = project.value;
  if (name === null) return;
  const keys = tableColumns();
  const rows: RunRow[] = [];
  const asked = question();
  try {
    for (;;) {
      const answer = await api.runs(name, { ...asked, limit: PAGE, offset: rows.length });
      rows.push(...answer.runs);
      if (answer.runs.length === 0 || rows.length >= answer.total) break;
    }
    const cells = { head: keys, rows: rows.map((row) => keys.map((key) => cell(row, key))) };
    give(new Blob([toCsv(cells)], { type: "text/csv" }), fileName(name, "csv"));
  } catch (error) {
    tellFailure("Not saved", error);
  }
}

/** The server writes it, if it can. */
export async function saveParquet(): Promise<void> {
  const name = project.value;
  if (name === null) return;
  try {
    const url = `/api/projects/${part(name)}/runs.parquet${queryString({ ...question(), columns: tableColumns() })}`;
    give(await api.blob(url), fileName(name, "parquet"));
  } catch (error) {
    tellFailure("Not saved", error);
  }
}

/** Colours source text. The library's markup is read back into words and classes, and never set as HTML. */

import hljs from "highlight.js/lib/core";
import bash from "highlight.js/lib/languages/bash";
import cpp from "highlight.js/lib/languages/cpp";
import css from "highlight.js/lib/languages/css";
import dockerfile from "highlight.js/lib/languages/dockerfile";
import go from "highlight.js/lib/languages/go";
import ini from "highlight.js/lib/languages/ini";
import java from "highlight.js/lib/languages/java";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import julia from "highlight.js/lib/languages/julia";
import makefile from "highlight.js/lib/languages/makefile";
import markdown from "highlight.js/lib/languages/markdown";
import python from "highlight.js/lib/languages/python";
import r from "highlight.js/lib/languages/r";
import rust from "highlight.js/lib/languages/rust";
import sql from "highlight.js/lib/languages/sql";
import typescript from "highlight.js/lib/languages/typescript";
import xml from "highlight.js/lib/languages/xml";
import yaml from "highlight.js/lib/languages/yaml";

const LANGUAGES = {
  bash, cpp, css, dockerfile, go, ini, java, javascript, json, julia, makefile, markdown, python, r, rust, sql, typescript, xml, yaml,
};
for (const [name, language] of Object.entries(LANGUAGES)) hljs.registerLanguage(name, language);

const ENDINGS: Record<string, keyof typeof LANGUAGES> = {
  py: "python", pyi: "python", pyx: "python", ipynb: "json", sh: "bash", bash: "bash", zsh: "bash", slurm: "bash", sbatch: "bash",
  c: "cpp", h: "cpp", cc: "cpp", cpp: "cpp", cxx: "cpp", hpp: "cpp", cu: "cpp", cuh: "cpp", css: "css", go: "go", ini: "ini", cfg: "ini",
  toml: "ini", conf: "ini", java: "java", js: "javascript", mjs: "javascript", cjs: "javascript", jsx: "javascript", json: "json",
  jsonl: "json", jl: "julia", mk: "makefile", md: "markdown", r: "r", rs: "rust", sql: "sql", ts: "typescript", tsx: "typescript",
  html: "xml", htm: "xml", xml: "xml", svg: "xml", yaml: "yaml", yml: "yaml",
};
const NAMES: Record<string, keyof typeof LANGUAGES> = { Dockerfile: "dockerfile", Containerfile: "dockerfile", Makefile: "makefile" };

export const languageOf = (path: string): string | null => {
  const name = path.split("/").pop() ?? "";
  return NAMES[name] ?? ENDINGS[name.split(".").pop()?.toLowerCase() ?? ""] ?? null;
};

export type Word = readonly [text: string, kind: string];
const LONGEST = 300_000;

/** Lines of words with their classes; one plain word a line where the language is unknown or the text is very long. */
export function highlight(text: string, path: string): Word[][] {
  const language = languageOf(path);
  if (language === null || text.length > LONGEST) return text.split("\n").map((line) => [[line, ""]]);
  return wordsOf(hljs.highlight(text, { language, ignoreIllegals: true }).value);
}

const ENTITIES: Record<string, string> = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#x27;": "'" };

/** `<span class="hljs-x">a\nb</span>` → two lines; anything that is not such a span stays text. */
export function wordsOf(markup: string): Word[][] {
  const lines: Word[][] = [[]];
  const open: string[] = [];
  for (const [piece] of markup.matchAll(/<span class="[\w\s-]*">|<\/span>|[^<]+|</g)) {
    const start = /^<span class="([\w\s-]*)">$/.exec(piece);
    if (start) open.push(start[1]!.split(" ")[0]!);
    else if (piece === "</span>") open.pop();
    else {
      const text = piece.replace(/&(?:amp|lt|gt|quot|#x27);/g, (one) => ENTITIES[one] ?? one);
      text.split("\n").forEach((part, i) => {
        if (i > 0) lines.push([]);
        if (part) lines[lines.length - 1]!.push([part, open[open.length - 1] ?? ""]);
      });
    }
  }
  return lines;
}

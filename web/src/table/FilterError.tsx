/** What is wrong with a filter, under the place where reading stopped. */

import type { ApiError } from "../api/client";

interface Props { error: ApiError; typed: string; shift: number }

/** The server counts in what it was asked, in which the typed text begins at `shift`. */
export function FilterError({ error, typed, shift }: Props) {
  const words = error.position === null ? error.message : error.message.replace(/, at character \d+$/, "");
  const at = error.position === null ? null : Math.max(0, Math.min([...typed].length, error.position - shift));
  const letters = [...typed];
  return (
    <>
      {at !== null && (
        <code class="error-place" aria-hidden="true">
          {letters.slice(Math.max(0, at - 40), at).join("")}<mark>{letters[at] ?? " "}</mark>{letters.slice(at + 1, at + 20).join("")}
        </code>
      )}
      {words}{at !== null && <span class="sr-only">, at character {at + 1}</span>}{error.hint && <span class="error-hint">: {error.hint}</span>}
    </>
  );
}

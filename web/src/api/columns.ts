/** The numbers of a line, which a large answer holds as columns of doubles. */

/** Numbers in order: an array, or a column of doubles. */
export interface Numbers extends ArrayLike<number> { at(index: number): number | undefined }

export const COLUMNS = ["x", "step", "time", "last", "min", "max", "mean", "count", "smooth"] as const;

export type Columns<T> = { [K in keyof T]: K extends (typeof COLUMNS)[number] ? Exclude<T[K], number[]> | Numbers : T[K] };

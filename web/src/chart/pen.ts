/** What the drawing code needs of a canvas: an SVG writer can stand in for it when a chart is exported. */

export type Pen = Pick<
  CanvasRenderingContext2D,
  | "beginPath" | "moveTo" | "lineTo" | "arc" | "closePath" | "stroke" | "fill" | "fillRect" | "fillText" | "setLineDash"
  | "rect" | "clip" | "save" | "restore"
  | "strokeStyle" | "fillStyle" | "globalAlpha" | "lineWidth" | "lineCap" | "lineJoin" | "font" | "textAlign" | "textBaseline"
>;

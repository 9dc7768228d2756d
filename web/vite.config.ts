import { readFileSync } from "node:fs";
import { createHash } from "node:crypto";
import subsetFont from "subset-font";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/**
 * Puts `src/theme/boot.js` before everything else as a blocking, hashed file: the theme is set before the first
 * paint, and the Content-Security-Policy `default-src 'self'` still holds (no inline script).
 */
function bootScript(): Plugin {
  const source = readFileSync(new URL("./src/theme/boot.js", import.meta.url), "utf8");
  const name = `assets/boot-${createHash("sha256").update(source).digest("hex").slice(0, 8)}.js`;
  let serving = false;
  return {
    name: "outrider-boot-script",
    configResolved(config) {
      serving = config.command === "serve";
    },
    generateBundle() {
      this.emitFile({ type: "asset", fileName: name, source });
    },
    transformIndexHtml: {
      order: "post",
      handler: () => [
        { tag: "script", attrs: { src: serving ? "/src/theme/boot.js" : `/${name}` }, injectTo: "head-prepend" },
      ],
    },
  };
}

/**
 * Writes `plot.html`, the frame in which plotly's figures are drawn. All of its scripts stand in it: the frame has no
 * origin of its own, so that nothing of ours would be given to it, and the server forbids it any request.
 */
function plotFrame(): Plugin {
  const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8").replaceAll("</script", "<\\/script");
  return {
    name: "outrider-plot-frame",
    generateBundle() {
      const scripts = ["./node_modules/plotly.js-strict-dist-min/plotly-strict.min.js", "./src/plot/frame.js"];
      const source = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Figure</title>
<style>html, body, #figure { height: 100%; margin: 0; background: transparent; overflow: hidden; }</style></head>
<body><div id="figure"></div>${scripts.map((path) => `<script>${read(path)}</script>`).join("")}</body></html>`;
      this.emitFile({ type: "asset", fileName: "plot.html", source });
    },
  };
}

/** Keeps of the text font what the page uses: Latin letters, the signs it writes, and weights from 400 to 700. */
function fontSubset(): Plugin {
  const latin = Array.from({ length: 0x180 - 0x20 }, (_, i) => String.fromCodePoint(0x20 + i)).join("");
  return {
    name: "outrider-font-subset",
    async generateBundle(_options, bundle) {
      for (const [name, file] of Object.entries(bundle))
        if (file.type === "asset" && name.endsWith(".woff2"))
          file.source = await subsetFont(Buffer.from(file.source), `${latin}–—‘’“”…•·×÷−≤≥≈±←→↑↓€™`, {
            targetFormat: "woff2", variationAxes: { wght: { min: 400, max: 700 } },
          });
    },
  };
}

/** Preloads the text font: it is asked for together with the style sheet instead of after it. */
function fontPreload(): Plugin {
  return {
    name: "outrider-font-preload",
    transformIndexHtml: {
      order: "post",
      handler(_html, context) {
        const font = Object.keys(context.bundle ?? {}).find((file) => /inter-latin-wght.*\.woff2$/.test(file));
        if (!font) return [];
        const attrs = { rel: "preload", href: `/${font}`, as: "font", type: "font/woff2", crossorigin: true };
        return [{ tag: "link", attrs, injectTo: "head" }];
      },
    },
  };
}

export default defineConfig({
  plugins: [bootScript(), fontPreload(), fontSubset(), plotFrame()],
  build: {
    outDir: "../server/outrider_server/static",
    emptyOutDir: true,
    assetsInlineLimit: 0, // data: addresses would need a wider Content-Security-Policy
    modulePreload: { polyfill: false },
    target: "es2022",
    reportCompressedSize: true,
  },
  test: { environment: "happy-dom", include: ["tests/**/*.test.ts"] },
  // `npm run dev` beside `outrider server`: log in at the server first, the session is shared by host name
  server: { host: "127.0.0.1", proxy: { "/api": { target: process.env.OUTRIDER_URL ?? "http://127.0.0.1:7878", changeOrigin: true } } },
});

// iced-x86's file reads its WebAssembly with Node's fs. For a browser the bytes are in the bundle.
import { readFileSync } from "node:fs";

const SWAPS = [
  ["const { TextDecoder, TextEncoder } = require(`util`);", ""],
  ["const path = require('path').join(__dirname, 'iced_x86_bg.wasm');", ""],
  ["const bytes = require('fs').readFileSync(path);", 'const bytes = require("./iced_x86_bg.wasm");'],
];

/** A plugin of esbuild. @throws Error where the package is another than the one that this was written for */
export const icedForBrowsers = {
  name: "iced-for-browsers",
  setup(plugin) {
    plugin.onLoad({ filter: /[/\\]iced_x86\.js$/ }, ({ path }) => {
      let contents = readFileSync(path, "utf8");
      for (const [from, to] of SWAPS) {
        if (!contents.includes(from)) throw new Error(`iced-x86 has no line ${from}`);
        contents = contents.replace(from, to);
      }
      return { contents, loader: "js" };
    });
    plugin.onLoad({ filter: /[/\\]iced_x86_bg\.wasm$/ }, ({ path }) => ({
      contents: readFileSync(path),
      loader: "binary",
    }));
  },
};

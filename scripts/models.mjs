// Writes the tables of who stops what into docs/models.md, as the models answer now; with --check says whether they
// are there.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const SAMPLES = ["jit-heap", "loader", "page-crossing-jump"];
const cli = fileURLToPath(new URL("../dist/cli.js", import.meta.url));
const page = fileURLToPath(new URL("../docs/models.md", import.meta.url));

const { status, stdout, stderr } = spawnSync(
  process.execPath,
  [cli, "compare", "--markdown", "--sample", ...SAMPLES],
  { encoding: "utf8" },
);
if (status !== 0) {
  process.stderr.write(stderr);
  process.exit(1);
}
const text = readFileSync(page, "utf8");
const [start, end] = ["<!-- npm run models -->", "<!-- end -->"];
const [from, to] = [text.indexOf(start) + start.length, text.indexOf(end)];
if (from < start.length || to < from) throw new Error(`${page}: the table's marks are missing`);
const wanted = `${text.slice(0, from)}\n\n${stdout}\n${text.slice(to)}`;
if (process.argv[2] !== "--check") writeFileSync(page, wanted);
else if (wanted !== text) {
  process.stderr.write(
    "docs/models.md: its tables are not what the models answer; npm run models writes them\n",
  );
  process.exit(1);
}

/** The arrows between the rooms. Each room may import only what stands in its list. */
const may = {
  userland: [],
  mmu: [],
  cpu: ["mmu"],
  kernel: ["mmu", "cpu"],
  syscalls: ["mmu", "cpu", "kernel"],
  debug: ["mmu", "cpu", "kernel", "syscalls", "userland"],
};
const rooms = ["userland", "mmu", "cpu", "kernel", "syscalls", "debug", "cli", "web", "tests", "scripts"];

module.exports = {
  forbidden: [
    // A cycle that is closed by types alone is none when the program runs.
    {
      name: "no-circular",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    ...Object.entries(may).map(([room, targets]) => ({
      name: `${room}-arrows`,
      severity: "error",
      from: { path: `^${room}/` },
      to: { path: `^(${rooms.filter((r) => r !== room && !targets.includes(r)).join("|")})/` },
    })),
    {
      name: "nothing-imports-the-faces",
      severity: "error",
      from: { pathNot: "^(cli|web|tests|scripts)/" },
      to: { path: "^(cli|web|tests|scripts)/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node"],
      extensions: [".ts", ".js"],
    },
  },
};

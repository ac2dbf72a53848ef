import { compareWithRecorded } from "./recorded-run.js";

compareWithRecorded("parting");
compareWithRecorded("limits");
compareWithRecorded("endings");

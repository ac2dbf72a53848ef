import { compareWithRecorded } from "./recorded-run.js";

compareWithRecorded("parting");

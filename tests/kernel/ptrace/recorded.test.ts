import { compareWithRecorded } from "../processes/recorded-run.js";

compareWithRecorded("tracing");

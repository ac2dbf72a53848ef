import { testProgram } from "./run.js";

testProgram("seals");

import { testProgram } from "./run.js";

testProgram("maps");

export { readAnswers, valueOf, type Answer, type Values } from "./answers.js";
export { compileScenario, VERBS, type CompiledScenario } from "./compile.js";
export { expectedFor, judge, type Verdict } from "./expect.js";
export { type Mistake } from "./mistake.js";
export { readOutput, type RawOutput } from "./output.js";
export {
  answerLine,
  readCompanion,
  recordFor,
  withRecord,
  type Companion,
  type Recorded,
} from "./companion.js";
export { STEP_OFFSET } from "./runtime-context.js";
export { type Step } from "./step.js";
export { hugePagesOf, releaseNumber, type Need } from "./syntax.js";

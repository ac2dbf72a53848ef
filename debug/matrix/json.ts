import type { Comparison } from "./comparison.js";
import { STATES } from "./dimensions.js";
import { outcomeOf, resultName } from "./outcome.js";

/** The matrix for programs: an object a cell, and in it one outcome for each release. */
export function matrixJson(comparison: Comparison): string {
  const { topic, sides } = comparison;
  const cells = STATES.flatMap((state) =>
    topic.operations.map((operation, i) => ({
      ...state,
      operation: operation.name,
      outcomes: comparison.answers(state, i).map((answer) => ({
        result: resultName(answer),
        letter: outcomeOf(topic, operation, answer).letter,
        text: outcomeOf(topic, operation, answer).text,
        ...(typeof answer.result === "string" ? { address: answer.result } : {}),
        ...(answer.fault === null ? {} : { fault: answer.fault }),
        ...(answer.contents === "" ? {} : { contents: answer.contents }),
        ...(answer.probes === "" ? {} : { probes: answer.probes }),
      })),
      ...(comparison.differs(state, i) ? { differs: true } : {}),
    })),
  );
  const head = {
    topic: topic.name,
    title: topic.title,
    kernels: sides.map(({ name, standing }) => ({ name, standing })),
    ...(topic.windows.length > 0 ? { contentsOfPages: topic.windows } : {}),
    operations: topic.operations.map(({ name, text }) => ({ name, text })),
  };
  const lines = cells.map((cell) => `    ${JSON.stringify(cell)}`).join(",\n");
  return `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "cells": [\n${lines}\n  ]\n}\n`;
}

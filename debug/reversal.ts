import type { Snapshot } from "./snapshot/snapshot.js";
import { runUntil, type HappeningMap, type HappeningName } from "./happenings.js";
import type { Machine } from "./machine.js";

/**
 * When something happened: after how many marks (calls, faults, signals, ends), and the how manieth of its kind since
 * the last of them.
 */
interface Place {
  readonly marks: number;
  readonly ordinal: number;
}

/** Where the machine stands because of something that happened. */
interface Standing {
  readonly name: HappeningName;
  readonly place: Place;
  readonly marks: number;
  readonly instructions: number;
}

interface Station {
  readonly snapshot: Snapshot;
  readonly marks: number;
}

/** Where a search ends: happenings at `place` and behind it do not count. */
interface End {
  readonly instructions: number;
  readonly marks: number;
  readonly place: Place;
}

const MARKS = ["syscallEnter", "syscallExit", "fault", "signal", "exit"] as const;

/**
 * The way back of a machine that was made for it: to a snapshot, and from there on again, while nobody listens. The
 * first snapshot is that of the program's start; each that is taken later makes ways shorter.
 */
export class Reversal {
  /** By their marks, ascending. */
  private readonly stations: Station[] = [];
  /** Calls that began or ended, faults, signals and ends so far. */
  private marks = 0;
  private standing: Standing | null = null;

  constructor(private readonly machine: Machine) {
    this.countMarks();
  }

  add(snapshot: Snapshot): void {
    const { marks } = this;
    const at = this.stations.findLastIndex((each) => each.marks <= marks);
    this.stations.splice(at + 1, 0, { snapshot, marks });
  }

  /** Back on this machine to a snapshot of it. */
  restored(snapshot: Snapshot): void {
    const station = this.stations.find((each) => each.snapshot === snapshot);
    if (station !== undefined) this.marks = station.marks;
    this.standing = null;
  }

  /** As {@link runUntil}, and remembers where it stands then. */
  until<N extends HappeningName>(
    name: N,
    where: (happening: HappeningMap[N]) => boolean,
  ): HappeningMap[N] | null {
    let place: Place | null = null;
    const placed = this.placed();
    const found = runUntil(this.machine, name, (happening) => {
      const at = placed();
      if (!where(happening)) return false;
      place = at;
      return true;
    });
    this.standing =
      place === null ? null : { name, place, marks: this.marks, instructions: this.machine.instructions };
    return found;
  }

  /** @throws RangeError for an instruction that has not been yet, or was before the program was loaded */
  toInstruction(instructions: number): void {
    const { machine, stations } = this;
    const start = stations[0]?.snapshot.instructions ?? Infinity;
    if (!Number.isInteger(instructions) || instructions < start || instructions > machine.instructions)
      throw new RangeError(
        `reverseTo ${instructions}: the way back is from ${machine.instructions} to ${start}`,
      );
    this.unheard(() => {
      this.restore(stations.findLast(({ snapshot }) => snapshot.instructions <= instructions)!);
      machine.run(instructions - machine.instructions);
    });
  }

  /** To right behind the last happening before now that `where` accepts; null, and nothing moves: there was none. */
  toLast<N extends HappeningName>(
    name: N,
    where: (happening: HappeningMap[N]) => boolean,
  ): HappeningMap[N] | null {
    const { machine, marks, standing } = this;
    const { instructions } = machine;
    const stands =
      standing?.name === name && standing.marks === marks && standing.instructions === instructions;
    const here = machine.snapshots.take();
    return this.unheard(() => {
      let end: End = {
        instructions,
        marks,
        place: stands ? standing.place : { marks: marks + 1, ordinal: 0 },
      };
      for (let at = this.stations.length - 1; at >= 0; at--) {
        const from = this.stations[at]!;
        if (from.marks > marks || from.snapshot.instructions > instructions) continue;
        let goal: Place | null = null;
        this.scan(from, end, name, (happening, place) => {
          if (where(happening)) goal = place;
        });
        if (goal !== null) return this.toPlace(from, name, goal);
        end = {
          instructions: from.snapshot.instructions,
          marks: from.marks,
          place: { marks: from.marks + 1, ordinal: 0 },
        };
      }
      machine.restore(here);
      this.marks = marks;
      this.standing = standing;
      return null;
    });
  }

  /** Runs from a station to an end, and calls back at each happening before that. */
  private scan<N extends HappeningName>(
    from: Station,
    end: End,
    name: N,
    seen: (happening: HappeningMap[N], place: Place) => void,
  ): void {
    const { machine } = this;
    this.restore(from);
    const placed = this.placed();
    const detach = [
      machine.on(name, (happening) => {
        const place = placed();
        if (isBefore(place, end.place)) seen(happening, place);
      }),
      // What comes at the last instruction and is no instruction of its own: a fault, a signal.
      ...MARKS.map((mark) =>
        machine.on(mark, () => {
          if (this.marks >= end.marks && machine.instructions >= end.instructions)
            machine.kernel.requestStop();
        }),
      ),
    ];
    machine.run(end.instructions - machine.instructions);
    if (this.marks < end.marks) machine.run(1);
    for (const off of detach) off();
  }

  private toPlace<N extends HappeningName>(from: Station, name: N, goal: Place): HappeningMap[N] | null {
    this.restore(from);
    const placed = this.placed();
    const found = runUntil(this.machine, name, () => !isBefore(placed(), goal));
    this.standing = {
      name,
      place: goal,
      marks: this.marks,
      instructions: this.machine.instructions,
    };
    return found;
  }

  private restore({ snapshot, marks }: Station): void {
    this.machine.restore(snapshot);
    this.marks = marks;
    this.standing = null;
  }

  /** The places of happenings of one name, asked for as they come. */
  private placed(): () => Place {
    let marks = -1;
    let ordinal = 0;
    return () => {
      ordinal = this.marks === marks ? ordinal + 1 : 1;
      marks = this.marks;
      return { marks, ordinal };
    };
  }

  private countMarks(): () => void {
    const detach = MARKS.map((name) => this.machine.on(name, () => void this.marks++));
    return () => {
      for (const off of detach) off();
    };
  }

  /** While nobody else listens. */
  private unheard<T>(act: () => T): T {
    return this.machine.kernel.events.unheard(() => {
      const off = this.countMarks();
      try {
        return act();
      } finally {
        off();
      }
    });
  }
}

function isBefore(a: Place, b: Place): boolean {
  return a.marks < b.marks || (a.marks === b.marks && a.ordinal < b.ordinal);
}

/** Moments: ISO 8601 text on the wire, Date objects on this side. */

const JOB_DATES = ['createdDate', 'startDate', 'startedDate', 'dueDate', 'endDate'];
const HOLD_DATES = ['setDate', 'scheduledRelease', 'releasedDate'];

/** The object with these members turned into Dates, where they are there. */
export function withDates(object, names) {
  const dates = names.filter((name) => object[name] !== undefined && object[name] !== null);
  return { ...object, ...Object.fromEntries(dates.map((name) => [name, new Date(object[name])])) };
}

/** A job as it is read, with its steps, holds and rows. */
export function jobOf(wire) {
  const job = withDates(wire, JOB_DATES);
  job.currentSteps = wire.currentSteps.map((step) => withDates(step, ['holdScheduledRelease']));
  if (wire.holds) job.holds = wire.holds.map((hold) => withDates(hold, HOLD_DATES));
  if (wire.relatedProperties) job.relatedProperties = wire.relatedProperties.map(relatedTableOf);
  return job;
}

function relatedTableOf(table) {
  return { ...table, entries: table.entries.map((entry) => withDates(entry, ['createdDate'])) };
}

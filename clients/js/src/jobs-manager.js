/** Jobs: creating, reading, changing, running and managing them. Source: rest.md 5. */

import { BaseManager } from './base-manager.js';
import { jobOf, withDates } from './dates.js';
import { fromLocation, toLocation } from './geometry.js';
import { part } from './rest.js';

/**
 * Whoever calls `startSteps`, `stopSteps`, `finishSteps`, `refreshSteps` or one of the holds and dependencies gets the
 * server's JobActionResponse, refusals included: look at `success`, and at each step's `status` and `reasons`. Where no
 * `stepIds` are given, the current steps are meant. Everything else that is refused rejects.
 */
export class JobsManager extends BaseManager {
  // ------------------------------------------------------------ jobs

  /**
   * Create jobs from a template. `overrides.location` may be a geometry object. `key` is an Idempotency-Key: the same
   * call with the same key may be made again when no answer came, and for a day gives the same jobs.
   */
  createJobs(jobTemplateId, overrides = {}, { key, signal } = {}) {
    const { location, ...rest } = overrides ?? {};
    const body = location === undefined ? rest : { ...rest, location: placeOf(location) };
    return this.rest.post(`jobTemplates/${part(jobTemplateId)}/job`, body, { key, signal });
  }

  /** Read a job; `extProps` and `holds` ask for its extended properties and for all its holds, past ones too. */
  async getJob(jobId, { extProps, holds, signal } = {}) {
    return jobOf(await this.rest.get(`jobs/${part(jobId)}`, { query: { extProps, holds }, signal }));
  }

  /** Change members of a job; what is absent stays. `allowRunningStepId` permits it while that step runs. */
  async updateJob(jobId, updates, allowRunningStepId, { signal } = {}) {
    const body = { ...updates, allowRunningStepId };
    return (await this.rest.post(`jobs/${part(jobId)}/update`, body, { signal })).success;
  }

  /** Search; resolves with rows in the order of `fields`, and `nextStart`, -1 on the last page. */
  queryJobs(query, { signal } = {}) {
    return this.rest.post('jobs/search', query, { signal });
  }

  /** Count jobs, all of them or by the field `groupBy`. */
  calculateJobStatistics(query, { signal } = {}) {
    return this.rest.post('jobs/statistics', query, { signal });
  }

  closeJobs(jobIds, options) {
    return this.#managed('Close', jobIds, options);
  }

  reopenJobs(jobIds, options) {
    return this.#managed('Reopen', jobIds, options);
  }

  deleteJobs(jobIds, options) {
    return this.#managed('Delete', jobIds, options);
  }

  upgradeJobs(jobIds, options) {
    return this.#managed('Upgrade', jobIds, options);
  }

  /** As `closeJobs` and its sisters, with what became of each job: `{success, message?, jobs: [{jobId, success}]}`. */
  manageJobs(type, jobIds, { signal } = {}) {
    return this.rest.post('jobs/manage', { type, jobIds }, { signal });
  }

  // ------------------------------------------------------------ steps

  startSteps(jobId, stepIds, options) {
    return this.#act(jobId, { type: 'Run', stepIds }, options);
  }

  stopSteps(jobId, stepIds, options) {
    return this.#act(jobId, { type: 'Stop', stepIds }, options);
  }

  finishSteps(jobId, stepIds, options) {
    return this.#act(jobId, { type: 'Finish', stepIds }, options);
  }

  refreshSteps(jobId, stepIds, options) {
    return this.#act(jobId, { type: 'RefreshStatus', stepIds }, options);
  }

  setCurrentStep(jobId, stepId, options) {
    return this.#act(jobId, { type: 'SetCurrentStep', stepIds: [stepId] }, options);
  }

  assignCurrentStep(jobId, assignedTo, assignedType, options) {
    return this.assignStep(jobId, 'currentStep', assignedTo, assignedType, options);
  }

  async assignStep(jobId, stepId, assignedTo, assignedType, { signal } = {}) {
    const body = { assignedTo, assignedType };
    return (await this.rest.post(`jobs/${part(jobId)}/${part(stepId)}`, body, { signal })).success;
  }

  // ------------------------------------------------------------ holds and dependencies

  /** `{jobId, stepIds?, scheduledRelease?}`; `scheduledRelease` is a Date, without it the hold stays until released. */
  addHolds({ jobId, stepIds, scheduledRelease }, options) {
    return this.#act(jobId, { type: 'Hold', stepIds, holdScheduledRelease: scheduledRelease }, options);
  }

  /** `{jobId, stepIds?}`: release manual and scheduled holds; without steps those of all held ones. */
  releaseHolds({ jobId, stepIds }, options) {
    return this.#act(jobId, { type: 'ReleaseHold', stepIds }, options);
  }

  /** `{jobId, stepIds?, dependentJobId, dependentStepId?}`: wait for another job, or for a step of it. */
  addDependency({ jobId, stepIds, dependentJobId, dependentStepId }, options) {
    return this.#act(jobId, { type: 'Hold', stepIds, ...dependency(dependentJobId, dependentStepId) }, options);
  }

  releaseDependency({ jobId, stepIds, dependentJobId, dependentStepId }, options) {
    return this.#act(jobId, { type: 'ReleaseHold', stepIds, ...dependency(dependentJobId, dependentStepId) }, options);
  }

  // ------------------------------------------------------------ attachments

  /**
   * Attach a file: `{jobId, attachment, alias?, folder?, stepId?, fileName?}`. `attachment` is a File, a Blob, bytes or a
   * text; what has no name of its own is called `fileName`, or `attachment`. `onProgress(sent, total)` is told as it goes.
   */
  async addAttachment({ jobId, attachment, alias, folder, stepId, fileName }, options) {
    const form = new FormData();
    for (const [name, value] of Object.entries({ alias, folder, stepId })) {
      if (value !== undefined && value !== null) form.append(name, value);
    }
    const file = attachment instanceof Blob ? attachment : new Blob([attachment]);
    form.append('attachment', file, fileName ?? file.name ?? 'attachment');
    const added = await this.rest.upload(`jobs/${part(jobId)}/attachments`, form, options);
    return { attachmentId: added.url.slice(added.url.lastIndexOf('/') + 1), url: added.url, alias: added.alias };
  }

  /** Attach a web address, a path, or the text of any document id: `{jobId, url, alias?, folder?, stepId?}`. */
  async addAttachmentLinked({ jobId, url, alias, folder, stepId }, { signal } = {}) {
    const body = { attachments: [{ url, alias, folder }], stepId };
    const { attachments } = await this.rest.post(`jobs/${part(jobId)}/attachmentslinked`, body, { signal });
    return { attachmentId: attachments[0].attachmentId, url, alias: attachments[0].alias };
  }

  async getAttachments(jobId, { signal } = {}) {
    const { attachments } = await this.rest.get(`jobs/${part(jobId)}/attachments`, { signal });
    return attachments.map((attachment) => withDates(attachment, ['lastModified']));
  }

  /** A file's bytes, as a Blob. */
  getAttachmentBody(jobId, attachmentId, { signal } = {}) {
    return this.rest.download(attachmentPath(jobId, attachmentId), { signal });
  }

  /** The address of a file at the server; with its token a browser can open it without more. */
  async getAttachmentUrl(jobId, attachmentId, includeToken = true) {
    const url = `${this.endpoint.itemUrl}/${attachmentPath(jobId, attachmentId)}`;
    return includeToken ? `${url}?token=${encodeURIComponent(await this.endpoint.token())}` : url;
  }

  /** Give an attachment another alias or folder: `{jobId, attachmentId, alias?, folder?}`. */
  async updateAttachment({ jobId, attachmentId, alias, folder }, { signal } = {}) {
    return (await this.rest.post(attachmentPath(jobId, attachmentId), { alias, folder }, { signal })).success;
  }

  async deleteAttachment(jobId, attachmentId, { signal } = {}) {
    return (await this.rest.delete(attachmentPath(jobId, attachmentId), { signal })).success;
  }

  // ------------------------------------------------------------ comments, history, diagram, place

  /** Resolves with the comment's id. */
  async addJobComment(jobId, comment, { signal } = {}) {
    return (await this.rest.post(`jobs/${part(jobId)}/comments`, { comment }, { signal })).commentId;
  }

  /** Oldest first. */
  async getJobComments(jobId, { signal } = {}) {
    const { jobComments } = await this.rest.get(`jobs/${part(jobId)}/comments`, { signal });
    return jobComments.map((comment) => withDates(comment, ['lastModified']));
  }

  /** Oldest first. */
  async getJobHistory(jobId, { signal } = {}) {
    const { jobHistory } = await this.rest.get(`jobs/${part(jobId)}/history`, { signal });
    return jobHistory.map((entry) => withDates(entry, ['date', 'startDate', 'endDate']));
  }

  /** The diagram version that the job follows. */
  getJobDiagram(jobId, { signal } = {}) {
    return this.rest.get(`jobs/${part(jobId)}/diagram`, { signal });
  }

  /** The job's place in Web Mercator (3857); null when it has none. */
  async getJobLocation(jobId, { signal } = {}) {
    return fromLocation(await this.rest.get(`jobs/${part(jobId)}/location`, { signal }));
  }

  /** Set the job's place, see `toLocation`; null takes it away. */
  async setJobLocation(jobId, geometry, { signal } = {}) {
    const body = { location: toLocation(geometry) };
    return (await this.rest.put(`jobs/${part(jobId)}/location`, body, { signal })).success;
  }

  async #managed(type, jobIds, options) {
    return (await this.manageJobs(type, jobIds, options)).success;
  }

  #act(jobId, body, { signal } = {}) {
    return this.rest.post(`jobs/${part(jobId)}/action`, body, { signal });
  }
}

/** Without a job to wait for, the server would take the call for a manual hold, or release those. */
function dependency(dependentJobId, dependentStepId) {
  if (!dependentJobId) throw new TypeError('dependentJobId must name the job to wait for.');
  return { dependentJobId, dependentStepId };
}

function attachmentPath(jobId, attachmentId) {
  return `jobs/${part(jobId)}/attachments/${part(attachmentId)}`;
}

/** A place of the wire as it is; anything else is a geometry object. */
function placeOf(location) {
  return location?.geometryType !== undefined ? location : toLocation(location);
}

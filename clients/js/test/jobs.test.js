/** The 33 methods of JobsManager, against a real server. */

import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import { AssignedType, JobActionStepStatus, JobHistoryAction, NotFound, SortOrderType } from './exports.js';
import { QUESTION, jobsOf, makeTemplate, url } from './server.js';

let manual;

before(async () => {
  manual = await makeTemplate([{ name: 'First', canSkip: true, args: { userPrompt: 'Look' } }, { name: 'Second' }], {
    extendedPropertyTableDefinitions: [
      {
        tableName: 'site',
        tableAlias: 'Site',
        tableOrder: 1,
        relationshipType: 'OneToOne',
        extendedPropertyDefinitions: [
          { propertyName: 'acres', propertyAlias: 'Acres', propertyOrder: 1, dataType: 'Double', required: false, editable: true, visible: true },
        ],
      },
    ],
  });
});

/** A manager and a new job. */
async function jobOf(t, overrides) {
  const jobs = await jobsOf(t);
  const { jobIds } = await jobs.createJobs(manual, overrides);
  return { jobs, jobId: jobIds[0] };
}

const statusesOf = ({ stepResponses }) => stepResponses.map(({ status }) => status);

// ---------------------------------------------------------------- jobs

test('createJobs takes overrides, and getJob reads them back with Dates', async (t) => {
  const jobs = await jobsOf(t);
  const dueDate = new Date('2030-01-02T03:04:05Z');
  const created = await jobs.createJobs(manual, {
    numberOfJobs: 2,
    jobName: 'Survey',
    dueDate,
    priority: 'High',
    assignedType: AssignedType.User,
    assignedTo: 'admin',
    location: { x: 7, y: 46 },
    extendedProperties: [{ identifier: 'site.acres', value: 12.5 }],
  });
  assert.equal(created.jobIds.length, 2);
  assert.equal(created.autoExecuted, false);
  const job = await jobs.getJob(created.jobIds[0], { extProps: true, holds: true });
  assert.deepEqual(job.dueDate, dueDate);
  assert.ok(job.createdDate instanceof Date);
  assert.equal(job.jobName, 'Survey');
  assert.equal(job.hasLocation, 1);
  assert.deepEqual(job.holds, []);
  assert.deepEqual(job.extendedProperties, [{ tableName: 'site', properties: [{ propertyName: 'acres', value: '12.5' }] }]);
  const bare = await jobs.getJob(created.jobIds[1]);
  assert.equal(bare.extendedProperties, undefined);
  assert.deepEqual(bare.currentSteps.map(({ stepName }) => stepName), ['First']);
});

test('createJobs with the same key makes the same job once', async (t) => {
  const jobs = await jobsOf(t);
  const key = `key-${Math.random()}`;
  const first = await jobs.createJobs(manual, null, { key });
  assert.deepEqual(await jobs.createJobs(manual, {}, { key }), first);
  assert.notDeepEqual(await jobs.createJobs(manual), first);
});

test('updateJob changes what is named', async (t) => {
  const { jobs, jobId } = await jobOf(t, { notes: 'old' });
  assert.equal(await jobs.updateJob(jobId, { description: 'new', dueDate: new Date('2031-01-01T00:00:00Z') }), true);
  const job = await jobs.getJob(jobId);
  assert.deepEqual([job.notes, job.description, job.dueDate.getUTCFullYear()], ['old', 'new', 2031]);
});

test('updateJob while a step runs takes the step it is allowed for', async (t) => {
  const { jobs, jobId } = await jobOf(t);
  await jobs.startSteps(jobId);
  await assert.rejects(jobs.updateJob(jobId, { description: 'no' }));
  assert.equal(await jobs.updateJob(jobId, { description: 'yes' }, 's1'), true);
});

test('queryJobs gives pages of rows, and calculateJobStatistics counts', async (t) => {
  const jobs = await jobsOf(t);
  const { jobIds } = await jobs.createJobs(manual, { numberOfJobs: 3, jobName: `Query ${Math.random()}` });
  const { jobName } = await jobs.getJob(jobIds[0]);
  const q = `jobName='${jobName}'`;
  const sortFields = [{ field: 'jobId', sortOrder: SortOrderType.Asc }];
  const page = await jobs.queryJobs({ q, fields: ['jobId', 'priority'], sortFields, num: 2 });
  assert.deepEqual(page.fields.map(({ name }) => name), ['jobId', 'priority']);
  assert.equal(page.nextStart, 2);
  const last = await jobs.queryJobs({ q, fields: ['jobId'], sortFields, start: page.nextStart });
  assert.equal(last.nextStart, -1);
  assert.deepEqual([...page.results, ...last.results].map(([jobId]) => jobId), [...jobIds].sort());
  const statistics = await jobs.calculateJobStatistics({ q, groupBy: 'priority' });
  assert.deepEqual([statistics.total, statistics.groupedValues], [3, [{ value: 'Low', count: 3 }]]);
});

test('closeJobs, reopenJobs, upgradeJobs and deleteJobs say whether every job was done', async (t) => {
  const { jobs, jobId } = await jobOf(t);
  assert.equal(await jobs.closeJobs([jobId]), true);
  assert.equal((await jobs.getJob(jobId)).closed, true);
  assert.equal(await jobs.upgradeJobs([jobId]), false);
  assert.equal(await jobs.reopenJobs([jobId]), true);
  assert.equal(await jobs.upgradeJobs([jobId]), true);
  assert.equal(await jobs.deleteJobs([jobId, 'no-such-job']), false);
  await assert.rejects(jobs.getJob(jobId), NotFound);
});

test('manageJobs tells what became of each job', async (t) => {
  const { jobs, jobId } = await jobOf(t);
  const { success, jobs: each } = await jobs.manageJobs('Close', [jobId, 'no-such-job']);
  assert.equal(success, false);
  assert.deepEqual(each.map((one) => one.success), [true, false]);
});

// ---------------------------------------------------------------- steps

test('startSteps, stopSteps and finishSteps act on the current steps, or on those named', async (t) => {
  const { jobs, jobId } = await jobOf(t);
  assert.deepEqual(statusesOf(await jobs.stopSteps(jobId)), [JobActionStepStatus.NotRunning]);
  assert.equal((await jobs.startSteps(jobId)).success, true);
  assert.equal((await jobs.stopSteps(jobId, ['s1'])).success, true);
  assert.equal((await jobs.finishSteps(jobId, ['s1'])).success, true);
  const refused = await jobs.finishSteps(jobId, ['s1']);
  assert.deepEqual([refused.success, statusesOf(refused)], [false, [JobActionStepStatus.StepNotCurrent]]);
  assert.ok(refused.stepResponses[0].reasons.length > 0);
  assert.equal((await jobs.getJob(jobId)).currentSteps[0].stepId, 's2');
});

test('refreshSteps asks a running step to look again', async (t) => {
  const { jobs, jobId } = await jobOf(t);
  assert.deepEqual(statusesOf(await jobs.refreshSteps(jobId)), [JobActionStepStatus.NotRunning]);
  await jobs.startSteps(jobId);
  assert.equal((await jobs.refreshSteps(jobId, ['s1'])).success, true);
});

test('setCurrentStep moves the job to one step', async (t) => {
  const { jobs, jobId } = await jobOf(t);
  assert.equal((await jobs.setCurrentStep(jobId, 's2')).success, true);
  assert.deepEqual((await jobs.getJob(jobId)).currentSteps.map(({ stepId }) => stepId), ['s2']);
});

test('assignCurrentStep and assignStep give a step to somebody, or to nobody', async (t) => {
  const { jobs, jobId } = await jobOf(t);
  const assigned = async () => (await jobs.getJob(jobId)).currentSteps.map(({ assignedType, assignedTo }) => [assignedType, assignedTo])[0];
  assert.equal(await jobs.assignCurrentStep(jobId, null, AssignedType.Unassigned), true);
  assert.equal((await assigned())[0], 'Unassigned');
  assert.equal(await jobs.assignStep(jobId, 's1', 'admin', AssignedType.User), true);
  assert.deepEqual(await assigned(), ['User', 'admin']);
  await assert.rejects(jobs.assignStep(jobId, 's2', 'admin', AssignedType.User));
});

// ---------------------------------------------------------------- holds and dependencies

test('addHolds keeps a step from running until releaseHolds', async (t) => {
  const { jobs, jobId } = await jobOf(t);
  assert.equal((await jobs.addHolds({ jobId, stepIds: ['s1'] })).success, true);
  assert.deepEqual(statusesOf(await jobs.startSteps(jobId)), [JobActionStepStatus.Held]);
  assert.equal((await jobs.releaseHolds({ jobId })).success, true);
  assert.equal((await jobs.startSteps(jobId)).success, true);
  const [hold] = (await jobs.getJob(jobId, { holds: true })).holds;
  assert.ok(hold.setDate instanceof Date && hold.releasedDate instanceof Date);
});

test('addHolds takes a Date on which the hold ends by itself', async (t) => {
  const { jobs, jobId } = await jobOf(t);
  const scheduledRelease = new Date('2035-01-01T00:00:00Z');
  await jobs.addHolds({ jobId, scheduledRelease });
  const job = await jobs.getJob(jobId, { holds: true });
  assert.deepEqual(job.holds[0].scheduledRelease, scheduledRelease);
  assert.deepEqual(job.currentSteps[0].holdScheduledRelease, scheduledRelease);
});

test('addDependency waits for another job, and releaseDependency names it', async (t) => {
  const { jobs, jobId } = await jobOf(t);
  const other = (await jobs.createJobs(manual)).jobIds[0];
  const dependency = { jobId, stepIds: ['s1'], dependentJobId: other, dependentStepId: 's1' };
  assert.equal((await jobs.addDependency(dependency)).success, true);
  assert.equal((await jobs.getJob(jobId)).currentSteps[0].dependencies, true);
  assert.deepEqual(statusesOf(await jobs.releaseHolds({ jobId, stepIds: ['s1'] })), [JobActionStepStatus.NotHeld]);
  assert.equal((await jobs.releaseDependency(dependency)).success, true);
  assert.throws(() => jobs.addDependency({ jobId }), TypeError); // it would be a manual hold
});

// ---------------------------------------------------------------- attachments

test('a file is attached, listed, read, renamed and deleted', async (t) => {
  const { jobs, jobId } = await jobOf(t);
  const progress = [];
  const attachment = new Blob(['a plan'], { type: 'text/plain' });
  const added = await jobs.addAttachment(
    { jobId, attachment, alias: 'The plan', folder: 'Plans', stepId: 's1', fileName: 'plan.txt' },
    { onProgress: (...told) => progress.push(told) },
  );
  assert.deepEqual(added, { attachmentId: added.attachmentId, url: added.url, alias: 'The plan' });
  assert.deepEqual(progress, [[1, 1]]);
  const [listed] = await jobs.getAttachments(jobId);
  assert.deepEqual([listed.id, listed.folder, listed.stepId, listed.fileName], [added.attachmentId, 'Plans', 's1', 'plan.txt']);
  assert.ok(listed.lastModified instanceof Date);
  const body = await jobs.getAttachmentBody(jobId, added.attachmentId);
  assert.ok(body instanceof Blob);
  assert.equal(await body.text(), 'a plan');
  assert.equal(await jobs.updateAttachment({ jobId, attachmentId: added.attachmentId, alias: 'Old plan' }), true);
  assert.equal((await jobs.getAttachments(jobId))[0].alias, 'Old plan');
  assert.equal(await jobs.deleteAttachment(jobId, added.attachmentId), true);
  await assert.rejects(jobs.deleteAttachment(jobId, added.attachmentId), NotFound);
});

test('bytes and texts can be attached as well', async (t) => {
  const { jobs, jobId } = await jobOf(t);
  for (const attachment of ['text', new TextEncoder().encode('text')]) {
    const { attachmentId } = await jobs.addAttachment({ jobId, attachment });
    assert.equal(await (await jobs.getAttachmentBody(jobId, attachmentId)).text(), 'text');
  }
});

test('a link is attached with what it is called', async (t) => {
  const { jobs, jobId } = await jobOf(t);
  const added = await jobs.addAttachmentLinked({ jobId, url: 'https://maps.test/1', alias: 'Map', folder: 'Links' });
  assert.deepEqual(added, { attachmentId: added.attachmentId, url: 'https://maps.test/1', alias: 'Map' });
  const [listed] = await jobs.getAttachments(jobId);
  assert.deepEqual([listed.url, listed.folder], ['https://maps.test/1', 'Links']);
});

test('getAttachmentUrl opens without more when it has its token', async (t) => {
  const { jobs, jobId } = await jobOf(t);
  const { attachmentId, url: own } = await jobs.addAttachment({ jobId, attachment: 'text' });
  const plain = await jobs.getAttachmentUrl(jobId, attachmentId, false);
  assert.equal(plain, own);
  assert.ok(plain.startsWith(url));
  assert.equal((await fetch(plain)).status, 401);
  assert.equal(await (await fetch(await jobs.getAttachmentUrl(jobId, attachmentId))).text(), 'text');
});

// ---------------------------------------------------------------- comments, history, diagram, place

test('addJobComment gives the id that getJobComments lists', async (t) => {
  const { jobs, jobId } = await jobOf(t);
  const commentId = await jobs.addJobComment(jobId, 'Bring the ladder');
  assert.equal(typeof commentId, 'string');
  const [comment] = await jobs.getJobComments(jobId);
  assert.deepEqual([comment.commentId, comment.comment, comment.lastModifiedBy], [commentId, 'Bring the ladder', 'admin']);
  assert.ok(comment.lastModified instanceof Date);
});

test('getJobHistory is oldest first, and getJobDiagram is the version the job follows', async (t) => {
  const { jobs, jobId } = await jobOf(t);
  const history = await jobs.getJobHistory(jobId);
  assert.equal(history[0].action, JobHistoryAction.Created);
  assert.ok(history.every(({ date }) => date instanceof Date));
  const diagram = await jobs.getJobDiagram(jobId);
  assert.deepEqual(diagram.steps.map(({ name }) => name), ['First', 'Second']);
  assert.equal(diagram.initialStepId, 's1');
});

test('a place is given in degrees and read in Web Mercator; null when there is none', async (t) => {
  const { jobs, jobId } = await jobOf(t);
  assert.equal(await jobs.getJobLocation(jobId), null);
  assert.equal(await jobs.setJobLocation(jobId, { x: 180, y: 0 }), true);
  const { points, spatialReference } = await jobs.getJobLocation(jobId);
  assert.ok(Math.abs(points[0][0] - 20_037_508.34) < 1);
  assert.equal(spatialReference.latestWkid, 3857);
  for (const geometry of [{ points: [[1, 2]] }, { paths: [[[0, 0], [1, 1]]] }, { rings: [[[0, 0], [0, 9], [9, 9], [0, 0]]] }]) {
    await jobs.setJobLocation(jobId, geometry);
    assert.deepEqual(Object.keys(await jobs.getJobLocation(jobId)).sort(), [...Object.keys(geometry), 'spatialReference'].sort());
  }
  assert.equal(await jobs.setJobLocation(jobId, null), true);
  assert.equal(await jobs.getJobLocation(jobId), null);
});

test('an automatic start that cannot be is told', async (t) => {
  const templateId = await makeTemplate([{ name: 'First', canSkip: true }, { ...QUESTION, automatic: true }], {
    defaultAssignedType: 'User',
    defaultAssignedTo: 'admin',
  });
  const jobs = await jobsOf(t);
  const { jobIds } = await jobs.createJobs(templateId);
  await jobs.addHolds({ jobId: jobIds[0], stepIds: ['s2'] });
  const finished = await jobs.finishSteps(jobIds[0]);
  assert.deepEqual([finished.success, finished.automaticResponses?.map(({ status }) => status)], [true, ['Held']]);
});

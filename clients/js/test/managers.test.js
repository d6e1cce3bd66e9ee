/** The managers of what is set up in an item: diagrams, templates, searches, lookups, people, settings. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  CommunityManager,
  DiagramsManager,
  JobTemplatesManager,
  LookupsManager,
  NotFound,
  SavedSearchesManager,
  TemplatesManager,
  WorkflowItemManager,
} from './exports.js';
import { INTRODUCTION, jobsOf, makeTemplate, managerOf } from './server.js';

const unique = (word) => `${word} ${process.pid}`;

const step = (id, ...next) => ({ id, name: id, action: { actionType: 'Manual' }, paths: next.map((nextStep) => ({ nextStep })) });

test('a diagram is drafted, activated, read by version and deleted', async (t) => {
  const diagrams = await managerOf(t, DiagramsManager);
  const draft = { diagramName: unique('Diagram'), displayGrid: true, steps: [step('a', 'b'), step('b')], color: 'kept' };
  const { diagramId } = await diagrams.createDiagram(draft);
  const line = async () => (await diagrams.getDiagrams()).find((each) => each.diagramId === diagramId);
  assert.deepEqual([(await line()).active, (await line()).draft], [false, true]);
  assert.equal((await diagrams.updateDiagram(diagramId, { ...draft, active: true })).success, true);
  assert.deepEqual([(await line()).active, (await line()).draft], [true, false]);
  const active = await diagrams.getDiagram(diagramId);
  assert.deepEqual([active.diagramVersion, active.color, active.initialStepId], [1, 'kept', 'a']);
  await diagrams.updateDiagram(diagramId, { ...draft, description: 'second', active: true });
  assert.equal((await diagrams.getDiagram(diagramId)).diagramVersion, 2);
  assert.equal((await diagrams.getDiagram(diagramId, 1)).diagramVersion, 1);
  assert.deepEqual((await diagrams.getUpgradedDiagramVersion(diagramId, 2)).failedStepIds, []);
  assert.equal(await diagrams.deleteDiagram(diagramId, 1), true);
  await assert.rejects(diagrams.getDiagram(diagramId, 1), NotFound);
  assert.equal(await diagrams.deleteDiagram(diagramId), true);
  assert.equal(await line(), undefined);
});

test('a version that is not sound is stored with warnings, each with a run that leads there', async (t) => {
  const diagrams = await managerOf(t, DiagramsManager);
  const stuck = { ...step('a'), paths: [{ nextStep: 'b', expression: '$retVal == 7' }] };
  const diagram = { diagramName: unique('Stuck'), displayGrid: true, active: true, steps: [stuck, step('b')] };
  const { diagramId, warnings } = await diagrams.createDiagram(diagram);
  assert.ok(warnings.length > 0);
  assert.ok(warnings[0].message && Array.isArray(warnings[0].run));
  await diagrams.deleteDiagram(diagramId);
});

test('a job template is made, read, changed, shared and deleted', async (t) => {
  const templates = await managerOf(t, JobTemplatesManager);
  const { diagramId, diagramName } = await templates.getJobTemplate(INTRODUCTION);
  const template = { jobTemplateName: unique('Template'), diagramId, diagramName, defaultPriorityName: 'Low', state: 'Active' };
  const jobTemplateId = await templates.createJobTemplate(template);
  assert.ok((await templates.getJobTemplates()).some((each) => each.jobTemplateId === jobTemplateId));
  assert.equal(await templates.updateJobTemplate(jobTemplateId, { ...template, description: 'changed' }), true);
  const read = await templates.getJobTemplate(jobTemplateId);
  assert.deepEqual([read.description, read.lastUpdatedDate instanceof Date], ['changed', true]);
  const [{ id }] = await (await managerOf(t, CommunityManager)).getGroups();
  assert.deepEqual(await templates.getJobTemplateShareDetails(jobTemplateId), []);
  assert.equal(await templates.shareJobTemplate(jobTemplateId, [id]), true);
  assert.deepEqual(await templates.getJobTemplateShareDetails(jobTemplateId), [id]);
  assert.equal(await templates.deleteJobTemplate(jobTemplateId), true);
  assert.ok(Array.isArray(await templates.getTableDefinitions()));
});

test('a stored template is made, read, changed and deleted', async (t) => {
  const templates = await managerOf(t, TemplatesManager);
  const templateId = await templates.createTemplate('note', { templateName: 'One', templateDetails: '{}' });
  assert.deepEqual(await templates.getTemplates('note'), [{ templateId, templateName: 'One' }]);
  assert.equal(await templates.updateTemplate('note', templateId, { templateName: 'Two' }), true);
  assert.deepEqual(await templates.getTemplate('note', templateId), { templateId, templateName: 'Two', templateDetails: '{}' });
  assert.equal(await templates.deleteTemplate('note', templateId), true);
});

test('a search is saved, changed, shared and deleted', async (t) => {
  const searches = await managerOf(t, SavedSearchesManager);
  const search = { name: unique('Open'), definition: { q: 'closed=0', fields: ['jobName'] }, sortIndex: 1 };
  const searchId = await searches.createSavedSearch(search);
  const found = async (kind) => (await searches.getSavedSearches(kind)).find((each) => each.searchId === searchId);
  assert.deepEqual((await found()).definition, search.definition);
  assert.equal(await found('Chart'), undefined);
  assert.equal(await searches.updateSavedSearch(searchId, { ...search, sortIndex: 2 }), true);
  assert.equal((await found('All')).sortIndex, 2);
  assert.equal(await searches.shareSavedSearch(searchId, []), true);
  assert.deepEqual(await searches.getSavedSearchShareDetails(searchId), []);
  assert.equal(await searches.deleteSavedSearch(searchId), true);
  assert.equal(await found('All'), undefined);
});

test('lookups are read, replaced and deleted', async (t) => {
  const lookups = await managerOf(t, LookupsManager);
  assert.deepEqual((await lookups.getLookups('priority'))[0], { lookupName: 'Low', value: 0 });
  const zones = [{ lookupName: 'North', value: 2 }, { lookupName: 'South', value: 1 }];
  assert.equal(await lookups.setLookups('zone', zones), true);
  assert.deepEqual(await lookups.getLookups('zone'), zones);
  assert.equal(await lookups.deleteLookups('zone'), true);
});

test('users, groups and roles are read, and roles are made, given, taken and deleted', async (t) => {
  const community = await managerOf(t, CommunityManager);
  const [group] = await community.getGroups();
  assert.ok((await community.getUsers()).some(({ username }) => username === 'admin'));
  assert.ok((await community.getUser('admin')).privileges.includes('adminAdvanced'));
  const roleName = unique('Reader & visitor');
  assert.equal(await community.setRole(roleName, { description: 'Reads', privileges: ['viewWorkPage'] }), true);
  assert.deepEqual((await community.getRole(roleName)).privileges, ['viewWorkPage']);
  assert.ok((await community.getRoles()).some((role) => role.roleName === roleName));
  assert.equal(await community.updateGroupRoles(group.id, { adds: [roleName] }), true);
  assert.ok((await community.getGroupRoles(group.id)).includes(roleName));
  assert.equal(await community.updateGroupRoles(group.id, { deletes: [roleName] }), true);
  assert.equal(await community.deleteRole(roleName), true);
  assert.equal(await community.deleteRole(roleName), false);
});

test('the item tells its details, keeps settings and evaluates Arcade', async (t) => {
  const item = await managerOf(t, WorkflowItemManager);
  assert.equal((await item.getItem()).allowUnsecureWebhooks, false);
  assert.equal(await item.updateSettings([{ propName: 'colour', value: 'red' }, { propName: 'pin', value: '7', encrypted: true }]), true);
  const settings = await item.getSettings({ includeSystemSettings: false });
  assert.deepEqual(settings.filter(({ propName }) => ['colour', 'pin'].includes(propName)), [
    { propName: 'colour', value: 'red' },
    { propName: 'pin', encrypted: true },
  ]);
  assert.equal(await item.evaluateArcade({ expression: "'test ' + '123'" }), 'test 123');
  const jobs = await jobsOf(t);
  const { jobIds } = await jobs.createJobs(await makeTemplate([{ name: 'Only' }]), { jobName: 'Arcade @ Tests' });
  const expression = { expression: 'jobName($job)', contextType: 'JobContext', context: { jobId: jobIds[0] }, parseMode: 'URL' };
  assert.equal(await item.evaluateArcade(expression), 'Arcade+%40+Tests');
});

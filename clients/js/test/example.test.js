/** The example that users of this API know, word for word but for the names of the test's own job. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ManagerFactory, JobsManager, NotificationManager } from '../src/index.js';
import { QUESTION, configOf, makeTemplate } from './server.js';

test('subscribe, start, answer the question, and the step is finished', async (t) => {
  const config = configOf();
  const templateId = await makeTemplate([QUESTION, { name: 'Visit' }]);

  const jobsManager = await ManagerFactory.getManager(JobsManager, config);
  const notificationManager = await ManagerFactory.getManager(NotificationManager, config);
  t.after(() => notificationManager.close());
  const { jobIds } = await jobsManager.createJobs(templateId);
  const jobId = jobIds[0];
  const seen = [];

  await new Promise((resolve) => {
    const callbackId = notificationManager.subscribeToJob(jobId, (message) => {
      seen.push(message.msgType);
      if (message.msgType === 'StepInfoRequired') {
        const { stepId, questionResponses } = message.message;
        notificationManager.send({
          msgType: 'StepInfoResponse',
          message: { jobId, stepId, questionResponse: questionResponses[0].value, comment: 'Looks good' },
        });
      }
      if (message.msgType === 'StepFinished') {
        notificationManager.unsubscribe(callbackId);
        resolve();
      }
    });
    jobsManager.startSteps(jobId);
  });

  assert.equal(seen.filter((msgType) => msgType === 'StepInfoRequired').length, 1);
  const [comment] = await jobsManager.getJobComments(jobId);
  assert.equal(comment.comment, 'Looks good');
  assert.equal((await jobsManager.getJob(jobId)).currentSteps[0].stepName, 'Visit');
});

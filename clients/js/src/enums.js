/** The words of the API, as frozen objects: `AssignedType.User === 'User'`. */

const words = (...names) => Object.freeze(Object.fromEntries(names.map((name) => [name, name])));

export const AssignedType = words('Unassigned', 'User', 'Group');

export const SortOrderType = words('Asc', 'Desc');

export const JobActionType = words('Run', 'Finish', 'Stop', 'SetCurrentStep', 'Hold', 'ReleaseHold', 'RefreshStatus');

export const JobManageType = words('Close', 'Reopen', 'Delete', 'Upgrade');

export const JobActionStepStatus = words(
  'Success',
  'NoStartedStep',
  'NoActiveStep',
  'AlreadyExecuting',
  'AssignedToDifferentUser',
  'JobClosed',
  'StepNotCurrent',
  'NoMatchingPaths',
  'NotRunning',
  'WaitingForInfo',
  'Held',
  'NotHeld',
  'StepNotInDiagram',
  'StepNotAuto',
);

export const JobHistoryAction = words(
  'Activated',
  'Deactivated',
  'Started',
  'Paused',
  'Finished',
  'Completed',
  'Error',
  'Cancelled',
  'Reassigned',
  'Upgraded',
  'Updated',
  'Created',
  'Deleted',
  'Closed',
  'Added',
  'DependencyAdded',
  'Held',
  'HoldReleased',
  'Reopened',
  'Reactivated',
);

export const JobTemplateState = words('Draft', 'Active', 'Automated', 'Retired');

export const SearchType = words('Standard', 'Chart', 'All');

export const ArcadeContextType = words('BaseContext', 'JobContext');

export const ArcadeParseMode = words('Standard', 'URL', 'Query');

/** Where a connection is in its life. */
export const ConnectionPhase = Object.freeze({
  Idle: 'idle',
  Connecting: 'connecting',
  Open: 'open',
  Waiting: 'waiting',
  Closed: 'closed',
});

/** Flags of `allowedActions`. */
export const AllowedActions = Object.freeze({ None: 0, Cancel: 1, Pause: 2, Finish: 4, Refresh: 8 });

/** Every message type of the websocket that this client knows. */
export const MessageType = words(
  'JobState',
  'StepStarted',
  'StepProgress',
  'StepFinished',
  'StepStopping',
  'StepPaused',
  'StepCancelled',
  'StepStopped',
  'StepWarningStopped',
  'StepError',
  'StepReassigned',
  'StepInfoRequired',
  'StepHeld',
  'StepHoldReleased',
  'StepHoldsUpdated',
  'JobUpdated',
  'JobAttachmentUpdated',
  'JobCommentUpdated',
  'JobLocationUpdated',
  'ExportCompleted',
  'ExportFailed',
  'ImportCompleted',
  'ImportFailed',
  'Ack',
  'StepAnswer',
  'Error',
);

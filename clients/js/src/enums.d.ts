/** The words of the API: each enum is an object at run time, and the union of its values as a type. */

export const AssignedType: {
  readonly Unassigned: 'Unassigned';
  readonly User: 'User';
  readonly Group: 'Group';
};
export type AssignedType = (typeof AssignedType)[keyof typeof AssignedType];

export const SortOrderType: {
  readonly Asc: 'Asc';
  readonly Desc: 'Desc';
};
export type SortOrderType = (typeof SortOrderType)[keyof typeof SortOrderType];

export const JobActionType: {
  readonly Run: 'Run';
  readonly Finish: 'Finish';
  readonly Stop: 'Stop';
  readonly SetCurrentStep: 'SetCurrentStep';
  readonly Hold: 'Hold';
  readonly ReleaseHold: 'ReleaseHold';
  readonly RefreshStatus: 'RefreshStatus';
};
export type JobActionType = (typeof JobActionType)[keyof typeof JobActionType];

export const JobManageType: {
  readonly Close: 'Close';
  readonly Reopen: 'Reopen';
  readonly Delete: 'Delete';
  readonly Upgrade: 'Upgrade';
};
export type JobManageType = (typeof JobManageType)[keyof typeof JobManageType];

export const JobActionStepStatus: {
  readonly Success: 'Success';
  readonly NoStartedStep: 'NoStartedStep';
  readonly NoActiveStep: 'NoActiveStep';
  readonly AlreadyExecuting: 'AlreadyExecuting';
  readonly AssignedToDifferentUser: 'AssignedToDifferentUser';
  readonly JobClosed: 'JobClosed';
  readonly StepNotCurrent: 'StepNotCurrent';
  readonly NoMatchingPaths: 'NoMatchingPaths';
  readonly NotRunning: 'NotRunning';
  readonly WaitingForInfo: 'WaitingForInfo';
  readonly Held: 'Held';
  readonly NotHeld: 'NotHeld';
  readonly StepNotInDiagram: 'StepNotInDiagram';
  readonly StepNotAuto: 'StepNotAuto';
};
export type JobActionStepStatus = (typeof JobActionStepStatus)[keyof typeof JobActionStepStatus];

export const JobHistoryAction: {
  readonly Activated: 'Activated';
  readonly Deactivated: 'Deactivated';
  readonly Started: 'Started';
  readonly Paused: 'Paused';
  readonly Finished: 'Finished';
  readonly Completed: 'Completed';
  readonly Error: 'Error';
  readonly Cancelled: 'Cancelled';
  readonly Reassigned: 'Reassigned';
  readonly Upgraded: 'Upgraded';
  readonly Updated: 'Updated';
  readonly Created: 'Created';
  readonly Deleted: 'Deleted';
  readonly Closed: 'Closed';
  readonly Added: 'Added';
  readonly DependencyAdded: 'DependencyAdded';
  readonly Held: 'Held';
  readonly HoldReleased: 'HoldReleased';
  readonly Reopened: 'Reopened';
  readonly Reactivated: 'Reactivated';
};
export type JobHistoryAction = (typeof JobHistoryAction)[keyof typeof JobHistoryAction];

export const JobTemplateState: {
  readonly Draft: 'Draft';
  readonly Active: 'Active';
  readonly Automated: 'Automated';
  readonly Retired: 'Retired';
};
export type JobTemplateState = (typeof JobTemplateState)[keyof typeof JobTemplateState];

export const SearchType: {
  readonly Standard: 'Standard';
  readonly Chart: 'Chart';
  readonly All: 'All';
};
export type SearchType = (typeof SearchType)[keyof typeof SearchType];

export const ArcadeContextType: {
  readonly BaseContext: 'BaseContext';
  readonly JobContext: 'JobContext';
};
export type ArcadeContextType = (typeof ArcadeContextType)[keyof typeof ArcadeContextType];

export const ArcadeParseMode: {
  readonly Standard: 'Standard';
  readonly URL: 'URL';
  readonly Query: 'Query';
};
export type ArcadeParseMode = (typeof ArcadeParseMode)[keyof typeof ArcadeParseMode];

/** Every message type of the websocket that this client knows. */
export const MessageType: {
  readonly JobState: 'JobState';
  readonly StepStarted: 'StepStarted';
  readonly StepProgress: 'StepProgress';
  readonly StepFinished: 'StepFinished';
  readonly StepStopping: 'StepStopping';
  readonly StepPaused: 'StepPaused';
  readonly StepCancelled: 'StepCancelled';
  readonly StepStopped: 'StepStopped';
  readonly StepWarningStopped: 'StepWarningStopped';
  readonly StepError: 'StepError';
  readonly StepReassigned: 'StepReassigned';
  readonly StepInfoRequired: 'StepInfoRequired';
  readonly StepHeld: 'StepHeld';
  readonly StepHoldReleased: 'StepHoldReleased';
  readonly StepHoldsUpdated: 'StepHoldsUpdated';
  readonly JobUpdated: 'JobUpdated';
  readonly JobAttachmentUpdated: 'JobAttachmentUpdated';
  readonly JobCommentUpdated: 'JobCommentUpdated';
  readonly JobLocationUpdated: 'JobLocationUpdated';
  readonly ExportCompleted: 'ExportCompleted';
  readonly ExportFailed: 'ExportFailed';
  readonly ImportCompleted: 'ImportCompleted';
  readonly ImportFailed: 'ImportFailed';
  readonly Ack: 'Ack';
  readonly StepAnswer: 'StepAnswer';
  readonly Error: 'Error';
};
export type MessageType = (typeof MessageType)[keyof typeof MessageType];

/** Where a connection is in its life. */
export const ConnectionPhase: {
  readonly Idle: 'idle';
  readonly Connecting: 'connecting';
  readonly Open: 'open';
  readonly Waiting: 'waiting';
  readonly Closed: 'closed';
};
export type ConnectionPhase = (typeof ConnectionPhase)[keyof typeof ConnectionPhase];

/** Flags of `allowedActions`, added up. */
export const AllowedActions: {
  readonly None: 0;
  readonly Cancel: 1;
  readonly Pause: 2;
  readonly Finish: 4;
  readonly Refresh: 8;
};

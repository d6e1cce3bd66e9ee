/**
 * Messages of the websocket, each as it came: an envelope `{msgType, timestamp, seq?, message}`. Moments in bodies are
 * ISO 8601 text. Source: websocket.md 3, docs/protocol.md.
 */

import type { AssignedType } from './enums.js';

/** `timestamp` is in ms since 1970. `seq` numbers a job's messages; what is for one socket alone has none. */
interface Envelope<Type extends string, Body> {
  msgType: Type;
  timestamp: number;
  seq?: number;
  message: Body;
}

interface OfJob {
  jobId: string;
}

interface OfSteps extends OfJob {
  stepIds: string[];
}

interface Outcome extends OfJob {
  stepId: string;
  msg: string;
  msgCode: string;
}

// ---------------------------------------------------------------- the job's state

export interface StepState {
  stepId: string;
  stepName: string;
  assignedType: AssignedType;
  assignedTo?: string;
  canSkip: boolean;
  /** The whole message that describes the step's state. */
  messageDetails?: JobMessage;
}

/**
 * How a job stands: the first message of each subscription, and again after each reconnect. `recovered` false: messages
 * were missed for good, `reason` says why, and whatever was made of earlier ones must be made anew.
 */
export type JobStateMessage = Envelope<
  'JobState',
  OfJob & {
    senderId?: string;
    jobStatus: string;
    jobTemplateName: string;
    diagramId: string;
    diagramVersion: number;
    percentComplete: number;
    closed: boolean;
    stepStates: StepState[];
    seq: number;
    epoch: string;
    recovered: boolean;
    reason?: 'epoch_changed' | 'trimmed' | 'ahead' | 'too_many';
  }
>;

// ---------------------------------------------------------------- running

export type StepStartedMessage = Envelope<'StepStarted', OfSteps>;

export type StepProgressMessage = Envelope<
  'StepProgress',
  OfSteps & { msg: string; msgCode: string; allowedActions: number }
>;

/** `currentSteps` is empty at the end of the workflow. */
export type StepFinishedMessage = Envelope<
  'StepFinished',
  OfSteps & {
    jobStatus: string;
    currentSteps: {
      stepId: string;
      stepName: string;
      assignedType: AssignedType;
      assignedTo?: string | null;
      canSkip: boolean;
      manualHold: boolean;
      dependencies: boolean;
      holdScheduledRelease?: string | null;
      webhookDependency?: boolean;
    }[];
  }
>;

export type StepStoppingMessage = Envelope<'StepStopping', OfSteps>;
export type StepPausedMessage = Envelope<'StepPaused', OfSteps>;
export type StepCancelledMessage = Envelope<'StepCancelled', OfSteps>;
export type StepStoppedMessage = Envelope<'StepStopped', Outcome>;
export type StepWarningStoppedMessage = Envelope<'StepWarningStopped', Outcome>;
export type StepErrorMessage = Envelope<'StepError', Outcome>;

export type StepReassignedMessage = Envelope<
  'StepReassigned',
  OfJob & { stepId: string; assignedType: AssignedType; assignedTo?: string }
>;

// ---------------------------------------------------------------- questions

interface Prompt extends Outcome {
  /** Flags of `AllowedActions`; 0 in the short form, which those get whom the step does not wait for. */
  allowedActions: number;
  promptId?: string;
  helpText?: string;
  helpLink?: string;
  canComment?: boolean;
  commentRequired?: boolean;
  userPrompt?: string;
}

/** The members of a form are missing in the short form. */
export interface QuestionPrompt extends Prompt {
  stepType: 'Question';
  question?: string;
  questionResponses?: { name: string; value: number }[];
}

export interface ManualPrompt extends Prompt {
  stepType: 'Manual';
}

export interface OpenAppPrompt extends Prompt {
  stepType: 'OpenApp';
  appUrl?: string;
}

export interface DefineLocationPrompt extends Prompt {
  stepType: 'DefineLocation';
  prompt?: string;
  geometryType?: string;
  methodType?: string;
}

export interface PropertyDetail {
  identifier: string;
  uniqueId?: string;
  alias?: string;
  value?: string | null;
  dataType?: string;
  required?: boolean;
  order?: number;
  domainType?: string | null;
  fieldLength?: number;
  codedValues?: { code: string; name: string }[];
  range?: (string | null)[];
}

export interface UpdateJobPropertiesPrompt extends Prompt {
  stepType: 'UpdateJobProperties';
  jobTemplateId?: string;
  prompt?: string;
  properties?: PropertyDetail[];
}

export interface AttachmentPrompt extends Prompt {
  stepType: 'Attachment';
  folder?: string;
  acceptedFileTypes?: string;
  acceptEmbedded?: boolean;
  acceptLinked?: boolean;
}

export interface AdvancedAssignmentPrompt extends Prompt {
  stepType: 'AdvancedAssignment';
  assignmentMethod?: string;
  userDefinedAssignmentOptions?: { groupId?: string };
}

/** A step of another type, which behaves like a manual one. */
export interface OtherPrompt extends Prompt {
  stepType: 'ProGP' | 'OpenProProjectItems' | 'Survey123' | 'ExecuteGP' | 'Email' | 'WebRequest' | 'CreateJob';
}

/** What a step asks; `stepType` tells the forms apart. Types that are not listed come with the common members alone. */
export type StepPrompt =
  | QuestionPrompt
  | ManualPrompt
  | OpenAppPrompt
  | DefineLocationPrompt
  | UpdateJobPropertiesPrompt
  | AttachmentPrompt
  | AdvancedAssignmentPrompt
  | OtherPrompt;

export type StepInfoRequiredMessage = Envelope<'StepInfoRequired', StepPrompt>;

// ---------------------------------------------------------------- holds

interface HoldDetails {
  holdIds?: string[];
  setBy?: string;
  setDate?: string;
  scheduledRelease?: string;
  dependencyDetails?: { dependentJobId: string; dependentStepId?: string };
  webhookDependencyDetails?: Record<string, unknown>;
}

export type StepHeldMessage = Envelope<
  'StepHeld',
  OfSteps & HoldDetails & { manual: boolean; dependency: boolean; webhookDependency: boolean }
>;

export type StepHoldReleasedMessage = Envelope<
  'StepHoldReleased',
  OfSteps & { holdIds?: string[]; releasedBy?: string; releasedDate?: string }
>;

/** Holds have changed, and whether a current step can run has not. */
export type StepHoldsUpdatedMessage = Envelope<
  'StepHoldsUpdated',
  OfSteps & HoldDetails & { manual?: boolean; releasedBy?: string; releasedDate?: string }
>;

// ---------------------------------------------------------------- what belongs to a job

interface ChangedProperty {
  propertyName: string;
  value: string | null;
}

export type JobUpdatedMessage = Envelope<
  'JobUpdated',
  OfJob & {
    properties: {
      jobProperties?: ChangedProperty[];
      extendedProperties?: { tableName: string; properties: ChangedProperty[] }[];
      relatedProperties?: {
        tableName: string;
        adds?: { id: string; properties: ChangedProperty[] }[];
        updates?: { id: string; properties: ChangedProperty[] }[];
        deletes?: string[];
      }[];
    };
  }
>;

interface ChangedAttachment {
  id: string;
  alias?: string;
  folder?: string;
  stepId?: string;
  url?: string;
  lastModifiedBy?: string;
  lastModified?: string;
}

export type JobAttachmentUpdatedMessage = Envelope<
  'JobAttachmentUpdated',
  OfJob & { adds?: ChangedAttachment[]; updates?: ChangedAttachment[]; deletes?: string[] }
>;

export type JobCommentUpdatedMessage = Envelope<
  'JobCommentUpdated',
  OfJob & {
    adds: { jobId: string; commentId: string; comment: string; lastModifiedBy: string; lastModified: string }[];
  }
>;

/** The place itself is read with `getJobLocation`. */
export type JobLocationUpdatedMessage = Envelope<
  'JobLocationUpdated',
  OfJob & { updateType: 'LocationAdded' | 'LocationUpdated' }
>;

/** This job cannot be watched; its handlers get no other message. */
export type SubscriptionErrorMessage = Envelope<
  'Error',
  { jobId?: string; msg: string; msgCode: string; details?: string[] }
>;

/** What handlers of a job are called with; `msgType` tells which. */
export type JobMessage =
  | JobStateMessage
  | StepStartedMessage
  | StepProgressMessage
  | StepFinishedMessage
  | StepStoppingMessage
  | StepPausedMessage
  | StepCancelledMessage
  | StepStoppedMessage
  | StepWarningStoppedMessage
  | StepErrorMessage
  | StepReassignedMessage
  | StepInfoRequiredMessage
  | StepHeldMessage
  | StepHoldReleasedMessage
  | StepHoldsUpdatedMessage
  | JobUpdatedMessage
  | JobAttachmentUpdatedMessage
  | JobCommentUpdatedMessage
  | JobLocationUpdatedMessage
  | SubscriptionErrorMessage;

// ---------------------------------------------------------------- the item

interface OfItem {
  itemId: string;
}

/** What handlers of the item are called with. */
export type ItemMessage =
  | Envelope<'ExportCompleted', OfItem & { exportId: string }>
  | Envelope<'ExportFailed', OfItem & { exportId: string; msg: string }>
  | Envelope<'ImportCompleted', OfItem>
  | Envelope<'ImportFailed', OfItem & { msg: string }>;

// ---------------------------------------------------------------- answers

/** An answer, and the step it is for. One member beside these is set: the one for the step's kind. */
interface AnswerAddress {
  jobId: string;
  stepId: string;
  /** The question that is meant; by default the last one of the step that came. */
  promptId?: string;
  comment?: string;
}

export type StepAnswer =
  | (AnswerAddress & { questionResponse: number })
  | (AnswerAddress & { manualResponse: boolean })
  | (AnswerAddress & { openAppResponse: boolean })
  | (AnswerAddress & { attachmentResponse: boolean })
  | (AnswerAddress & { failed: true })
  | (AnswerAddress & { failed?: false; location: string | object })
  | (AnswerAddress & {
      propertyResponses: { identifier: string; value: string | number | boolean | null; uniqueId?: string; dataType?: string }[];
    })
  | (AnswerAddress & { assignmentResponse: string })
  | (AnswerAddress & { proMappingResponse: boolean })
  | (AnswerAddress & { proGPHandled: boolean })
  | (AnswerAddress & { surveyResponses: object[] });

export interface StepInfoResponse {
  msgType: 'StepInfoResponse' | 'StepInformation';
  message: StepAnswer;
  /** The same one again gets the same verdict again. */
  requestId?: string;
}

/** What became of an answer. */
export interface AnswerVerdict {
  stage: 'stored' | 'applied';
  jobId: string;
  stepId: string;
  promptId?: string;
  requestId: string;
}

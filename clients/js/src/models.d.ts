/** What calls take and give. Moments are Dates here and ISO 8601 text on the wire. Source: rest.md 14. */

import type {
  ArcadeContextType,
  ArcadeParseMode,
  AssignedType,
  JobActionStepStatus,
  JobHistoryAction,
  JobTemplateState,
  SearchType,
  SortOrderType,
} from './enums.js';

// ---------------------------------------------------------------- geometries

export interface SpatialReference {
  wkid?: number;
  latestWkid?: number;
  wkt?: string;
}

interface GeometryBase {
  /** Degrees (4326) when absent. */
  spatialReference?: SpatialReference;
  hasZ?: boolean;
  hasM?: boolean;
}

/** Sent as a Multipoint of one. */
export interface Point extends GeometryBase {
  x: number;
  y: number;
  z?: number;
  m?: number;
}

export interface Multipoint extends GeometryBase {
  points: number[][];
}

export interface Polyline extends GeometryBase {
  paths: number[][][];
}

export interface Polygon extends GeometryBase {
  rings: number[][][];
}

export type Geometry = Point | Multipoint | Polyline | Polygon;

/** A geometry, or an object whose `toJSON` gives one. */
export type GeometryLike = Geometry | { toJSON(): Geometry };

/** A place as the wire has it: geometry as JSON text. */
export interface WireLocation {
  geometryType: 'Multipoint' | 'Polyline' | 'Polygon';
  geometry: string;
}

// ---------------------------------------------------------------- jobs

export interface CurrentStep {
  stepId: string;
  stepName: string;
  assignedType: AssignedType;
  assignedTo?: string | null;
  canSkip: boolean;
  manualHold: boolean;
  dependencies: boolean;
  holdScheduledRelease?: Date | null;
}

export interface JobHold {
  jobId: string;
  stepId: string;
  holdId: string;
  setBy: string;
  setDate: Date;
  scheduledRelease?: Date;
  /** With a date once the hold is over. */
  releasedBy?: string;
  releasedDate?: Date;
  dependentJobId?: string;
  dependentStepId?: string;
}

export interface JobExtendedProperty {
  propertyName: string;
  value?: string | null;
}

export interface JobExtendedPropertyTable {
  tableName: string;
  properties: JobExtendedProperty[];
}

export interface JobRelatedPropertyTable {
  tableName: string;
  entries: { id: string; createdDate: Date; properties: JobExtendedProperty[] }[];
}

export interface JobVersion {
  name: string;
  versionId?: string;
  dataSourceName?: string;
  dataReferenceId?: string;
  workflowAdministered?: boolean;
}

export interface Job {
  jobId: string;
  jobName: string;
  ownedBy: string;
  createdBy: string;
  closedBy?: string;
  notes?: string;
  description?: string;
  createdDate: Date;
  startDate?: Date;
  startedDate?: Date;
  dueDate?: Date;
  endDate?: Date;
  parentJob?: string;
  percentComplete: number;
  priority: string;
  jobStatus: string;
  diagramId: string;
  diagramName: string;
  diagramVersion: number;
  jobTemplateId: string;
  jobTemplateName: string;
  currentSteps: CurrentStep[];
  activeVersions: JobVersion[];
  /** 0 or 1. */
  hasLocation: number;
  closed: boolean;
  /** Only with `extProps`. */
  extendedProperties?: JobExtendedPropertyTable[];
  relatedProperties?: JobRelatedPropertyTable[];
  /** Only with `holds`. */
  holds?: JobHold[];
}

export interface JobRequestOptions {
  extProps?: boolean;
  holds?: boolean;
}

/** `identifier` is `table.property`. */
export interface ExtendedPropertyValue {
  identifier: string;
  value: string | number | boolean | null;
}

interface JobMembers {
  jobName?: string;
  startDate?: Date | string;
  dueDate?: Date | string;
  priority?: string;
  description?: string;
  ownedBy?: string;
  percentComplete?: number;
  jobStatus?: string;
  notes?: string;
  parentJob?: string;
  extendedProperties?: ExtendedPropertyValue[];
}

interface NewRows {
  tableName: string;
  entries: { properties: JobExtendedProperty[] }[];
}

export interface CreateJobOverrides extends JobMembers {
  numberOfJobs?: number;
  jobId?: string;
  assignedType?: AssignedType;
  assignedTo?: string;
  location?: GeometryLike | WireLocation | null;
  relatedProperties?: NewRows[];
}

export interface CreateJobsResponse {
  jobIds: string[];
  /** The first step was started by the server. */
  autoExecuted: boolean;
  message?: string;
}

export interface UpdateJobOverrides extends JobMembers {
  versions?: {
    dataSourceName?: string;
    dataReferenceId?: string;
    versionName?: string;
    versionGuid?: string;
    workflowAdministered?: boolean;
  }[];
  relatedProperties?: {
    adds?: NewRows[];
    updates?: { tableName: string; entries: { id: string; properties: JobExtendedProperty[] }[] }[];
    deletes?: { tableName: string; ids: string[] }[];
  };
}

/** One reason against it; any one of `liftedBy` would do, none means that nothing can. */
export interface Reason {
  status: JobActionStepStatus;
  description: string;
  liftedBy: { kind: string; name?: string; jobId?: string; stepId?: string; at?: string }[];
  holdId?: string;
}

export interface JobActionStepResponse {
  stepId: string;
  status: JobActionStepStatus;
  statusDescription: string;
  /** Everything against it, where it was refused. */
  reasons?: Reason[];
}

/** `success` only if every step's status is `Success`. */
export interface JobActionResponse {
  success: boolean;
  stepResponses: JobActionStepResponse[];
  /** Steps that should have started by themselves and could not. */
  automaticResponses?: JobActionStepResponse[];
}

export interface ManageJobsResponse {
  success: boolean;
  message?: string;
  name?: string;
  jobs: { jobId: string; success: boolean; message?: string; name?: string }[];
}

export interface JobHoldDetails {
  jobId: string;
  stepIds?: string[];
  /** Only for new holds. */
  scheduledRelease?: Date;
}

export interface JobDependencyDetails {
  jobId: string;
  stepIds?: string[];
  dependentJobId: string;
  dependentStepId?: string;
}

export interface JobAttachment {
  id: string;
  alias: string;
  folder: string;
  /** The link itself, or the address of the file at the server. */
  url: string;
  lastModifiedBy: string;
  lastModified: Date;
  stepId?: string;
  fileName?: string;
  mediaType?: string;
  /** Bytes. */
  size?: number;
  sha256?: string;
}

export interface NewAttachment {
  jobId: string;
  attachment: Blob | ArrayBuffer | ArrayBufferView<ArrayBuffer> | string;
  alias?: string;
  folder?: string;
  stepId?: string;
  fileName?: string;
}

export interface NewLinkedAttachment {
  jobId: string;
  url: string;
  alias?: string;
  folder?: string;
  stepId?: string;
}

export interface AttachmentUpdate {
  jobId: string;
  attachmentId: string;
  alias?: string;
  folder?: string;
}

export interface AddJobAttachmentResponse {
  attachmentId: string;
  url?: string;
  alias: string;
}

export interface JobComment {
  jobId: string;
  comment: string;
  commentId: string;
  lastModifiedBy: string;
  lastModified: Date;
}

export interface JobHistory {
  jobId: string;
  stepId?: string;
  date: Date;
  username: string;
  action: JobHistoryAction;
  result?: string;
  startDate?: Date;
  endDate?: Date;
  durationSeconds?: number;
}

// ---------------------------------------------------------------- searches

interface WhichJobs {
  /** A condition in the `q` language. `q` or `search` must be there. */
  q?: string;
  search?: string;
  spatialExtent?: string;
  hasLocation?: boolean;
}

export interface Query extends WhichJobs {
  fields?: string[];
  displayNames?: string[];
  sortFields?: { field: string; sortOrder?: SortOrderType }[];
  start?: number;
  num?: number;
}

export interface QueryResult {
  q?: string;
  fields: { name: string; fieldType: 'String' | 'Integer' | 'DateTime' | 'Boolean' | 'Double' }[];
  /** Rows, each in the order of `fields`. */
  results: unknown[][];
  start: number;
  /** -1 on the last page. */
  nextStart: number;
  num: number;
}

export interface JobStatisticsDetails extends WhichJobs {
  groupBy?: string;
}

export interface JobStatistics {
  total: number;
  groupBy?: string;
  groupedValues?: { value: string | null; count: number }[];
}

export interface SavedSearch {
  searchId: string;
  name: string;
  searchType: Exclude<SearchType, 'All'>;
  folder?: string;
  definition?: Query & { groupBy?: string };
  colorRamp?: string;
  sortIndex?: number;
}

export type NewSavedSearch = Omit<SavedSearch, 'searchId' | 'searchType'> &
  Partial<Pick<SavedSearch, 'searchId' | 'searchType'>>;

// ---------------------------------------------------------------- diagrams and templates

export interface StepPath {
  nextStep: string;
  expression?: string;
  label?: string;
  assignedType?: AssignedType;
  assignedTo?: string;
  status?: string;
  notifications?: string[];
  [member: string]: unknown;
}

export interface DiagramStep {
  id: string;
  name?: string;
  automatic?: boolean;
  proceedNext?: boolean;
  canSkip?: boolean;
  action?: { actionType: string; args?: Record<string, unknown> };
  paths?: StepPath[];
  position?: string;
  [member: string]: unknown;
}

/** A diagram as it is sent. Members that the server does not know are kept. */
export interface WorkflowDiagram {
  diagramName: string;
  steps: DiagramStep[];
  displayGrid: boolean;
  diagramId?: string;
  description?: string;
  active?: boolean;
  annotations?: unknown[];
  [member: string]: unknown;
}

/** A diagram as it is read. */
export interface DiagramDetails extends WorkflowDiagram {
  diagramId: string;
  diagramVersion: number;
  initialStepId: string;
  initialStepName: string;
  active: boolean;
}

export interface Diagram {
  diagramId: string;
  diagramName: string;
  description?: string;
  active: boolean;
  draft: boolean;
}

/** What the soundness check found in a version that was activated; `run` leads a new job there. */
export interface SoundnessWarning {
  kind: string;
  message: string;
  stepIds: string[];
  run: { stepId: string; returnValue: string | number | boolean | null }[];
  currentSteps: string[];
  pendingSteps: string[];
  returnValues?: (string | number | boolean | null)[];
  missingStepIds?: string[];
  joinStepId?: string;
}

export interface UpgradedDiagram {
  transformedDiagram: DiagramDetails;
  modifiedStepIds: string[];
  failedStepIds: string[];
  modifiedDataSourceNames: string[];
  failedDataSourceNames: string[];
}

export interface JobTemplate {
  jobTemplateId: string;
  jobTemplateName: string;
  description?: string;
  category?: string;
  diagramId: string;
  diagramName?: string;
  state: JobTemplateState;
}

export interface NewJobTemplate {
  jobTemplateName: string;
  diagramId: string;
  diagramName: string;
  defaultPriorityName: string;
  state: JobTemplateState;
  defaultAssignedType?: AssignedType;
  defaultAssignedTo?: string;
  [member: string]: unknown;
}

export interface JobTemplateDetails extends NewJobTemplate {
  jobTemplateId: string;
  lastUpdatedDate?: Date;
}

export interface TableDefinition {
  tableName: string;
  tableAlias: string;
  relationshipType: 'OneToOne' | 'OneToMany';
  extendedPropertyDefinitions: Record<string, unknown>[];
  jobTemplates: string[];
  [member: string]: unknown;
}

export interface StoredTemplate {
  templateId: string;
  templateName: string;
}

/** `templateDetails` is JSON as text. */
export interface StoredTemplateDetails extends StoredTemplate {
  templateDetails: string;
}

// ---------------------------------------------------------------- the item and its people

export interface Lookup {
  lookupName: string;
  value: number;
}

export interface WorkflowUser {
  username: string;
  fullName: string;
  email?: string;
  /** The caller may give work to them. */
  isAssignable: boolean;
}

export interface WorkflowUserDetails {
  username: string;
  fullName: string;
  email?: string;
  groups: string[];
  groupsOwned: string[];
  roles: string[];
  privileges: string[];
}

export interface WorkflowGroup {
  id: string;
  name: string;
  isAssignable: boolean;
}

export interface WorkflowRole {
  roleName: string;
  description?: string;
  privileges: string[];
}

export interface WorkflowItem {
  itemVersion: string;
  upgradeAvailable: boolean;
  isOldestAllowedVersion: boolean;
  allowUnsecureWebhooks: boolean;
  customSMTP: boolean;
}

/** One that is encrypted is told without its value. */
export interface Setting {
  propName: string;
  value?: string | number | null;
  encrypted?: boolean;
}

export interface ArcadeExpressionDetails {
  expression: string;
  contextType?: ArcadeContextType;
  context?: { jobId: string } | null;
  parseMode?: ArcadeParseMode;
}


import { BaseManager, type KeyedOptions, type RequestOptions } from './base-manager.js';
import type { AssignedType, JobManageType } from './enums.js';
import type {
  AddJobAttachmentResponse,
  AttachmentUpdate,
  CreateJobOverrides,
  CreateJobsResponse,
  DiagramDetails,
  Geometry,
  GeometryLike,
  Job,
  JobActionResponse,
  JobAttachment,
  JobComment,
  JobDependencyDetails,
  JobHistory,
  JobHoldDetails,
  JobRequestOptions,
  JobStatistics,
  JobStatisticsDetails,
  ManageJobsResponse,
  NewAttachment,
  NewLinkedAttachment,
  Query,
  QueryResult,
  UpdateJobOverrides,
} from './models.js';

/**
 * Jobs. Calls on steps, holds and dependencies resolve with the server's answer, refusals included: look at `success`.
 * Where no `stepIds` are given, the current steps are meant. Everything else that is refused rejects.
 */
export class JobsManager extends BaseManager {
  createJobs(
    jobTemplateId: string,
    overrides?: CreateJobOverrides | null,
    options?: KeyedOptions,
  ): Promise<CreateJobsResponse>;
  getJob(jobId: string, options?: JobRequestOptions & RequestOptions): Promise<Job>;
  /** `allowRunningStepId` permits it while that step runs. */
  updateJob(
    jobId: string,
    updates: UpdateJobOverrides,
    allowRunningStepId?: string | null,
    options?: RequestOptions,
  ): Promise<boolean>;
  queryJobs(query: Query, options?: RequestOptions): Promise<QueryResult>;
  calculateJobStatistics(query: JobStatisticsDetails, options?: RequestOptions): Promise<JobStatistics>;
  /** These four: true when it was done to every job; `manageJobs` tells of each. */
  closeJobs(jobIds: string[], options?: RequestOptions): Promise<boolean>;
  reopenJobs(jobIds: string[], options?: RequestOptions): Promise<boolean>;
  deleteJobs(jobIds: string[], options?: RequestOptions): Promise<boolean>;
  upgradeJobs(jobIds: string[], options?: RequestOptions): Promise<boolean>;
  manageJobs(type: JobManageType, jobIds: string[], options?: RequestOptions): Promise<ManageJobsResponse>;

  startSteps(jobId: string, stepIds?: string[] | null, options?: RequestOptions): Promise<JobActionResponse>;
  stopSteps(jobId: string, stepIds?: string[] | null, options?: RequestOptions): Promise<JobActionResponse>;
  finishSteps(jobId: string, stepIds?: string[] | null, options?: RequestOptions): Promise<JobActionResponse>;
  refreshSteps(jobId: string, stepIds?: string[] | null, options?: RequestOptions): Promise<JobActionResponse>;
  setCurrentStep(jobId: string, stepId: string, options?: RequestOptions): Promise<JobActionResponse>;
  assignCurrentStep(
    jobId: string,
    assignedTo: string | null,
    assignedType: AssignedType,
    options?: RequestOptions,
  ): Promise<boolean>;
  assignStep(
    jobId: string,
    stepId: string,
    assignedTo: string | null,
    assignedType: AssignedType,
    options?: RequestOptions,
  ): Promise<boolean>;

  addHolds(params: JobHoldDetails, options?: RequestOptions): Promise<JobActionResponse>;
  releaseHolds(params: Omit<JobHoldDetails, 'scheduledRelease'>, options?: RequestOptions): Promise<JobActionResponse>;
  addDependency(params: JobDependencyDetails, options?: RequestOptions): Promise<JobActionResponse>;
  releaseDependency(params: JobDependencyDetails, options?: RequestOptions): Promise<JobActionResponse>;

  /** `onProgress(sent, total)` is told as it goes, in bytes; outside of browsers once, at the end: `(1, 1)`. */
  addAttachment(
    params: NewAttachment,
    options?: RequestOptions & { onProgress?: (sent: number, total: number) => void },
  ): Promise<AddJobAttachmentResponse>;
  addAttachmentLinked(params: NewLinkedAttachment, options?: RequestOptions): Promise<AddJobAttachmentResponse>;
  getAttachments(jobId: string, options?: RequestOptions): Promise<JobAttachment[]>;
  getAttachmentBody(jobId: string, attachmentId: string, options?: RequestOptions): Promise<Blob>;
  /** With its token a browser can open the address without more; it is as secret as the token. */
  getAttachmentUrl(jobId: string, attachmentId: string, includeToken?: boolean): Promise<string>;
  updateAttachment(params: AttachmentUpdate, options?: RequestOptions): Promise<boolean>;
  deleteAttachment(jobId: string, attachmentId: string, options?: RequestOptions): Promise<boolean>;

  /** Resolves with the comment's id. */
  addJobComment(jobId: string, comment: string, options?: RequestOptions): Promise<string>;
  /** Oldest first. */
  getJobComments(jobId: string, options?: RequestOptions): Promise<JobComment[]>;
  /** Oldest first. */
  getJobHistory(jobId: string, options?: RequestOptions): Promise<JobHistory[]>;
  getJobDiagram(jobId: string, options?: RequestOptions): Promise<DiagramDetails>;
  /** In Web Mercator (3857); null when the job has no place. */
  getJobLocation(jobId: string, options?: RequestOptions): Promise<Exclude<Geometry, { x: number }> | null>;
  /** null takes the place away. */
  setJobLocation(jobId: string, geometry: GeometryLike | null, options?: RequestOptions): Promise<boolean>;
}

import { BaseManager, type KeyedOptions, type RequestOptions } from './base-manager.js';
import type { Diagram, DiagramDetails, SoundnessWarning, UpgradedDiagram, WorkflowDiagram } from './models.js';

/** A diagram has the versions 1, 2, 3, ... and perhaps a draft, -1; the highest is the active one. */
export class DiagramsManager extends BaseManager {
  getDiagrams(options?: RequestOptions): Promise<Diagram[]>;
  /** The active version, or the one named. */
  getDiagram(diagramId: string, version?: number | null, options?: RequestOptions): Promise<DiagramDetails>;
  createDiagram(
    diagram: WorkflowDiagram,
    options?: KeyedOptions,
  ): Promise<{ diagramId: string; warnings?: SoundnessWarning[] }>;
  /** Store the next version, or the draft; a draft goes when a version is activated, unless `deleteDraft` is false. */
  updateDiagram(
    diagramId: string,
    diagram: WorkflowDiagram,
    options?: KeyedOptions & { deleteDraft?: boolean },
  ): Promise<{ success: boolean; warnings?: SoundnessWarning[] }>;
  /** All versions, or one. */
  deleteDiagram(diagramId: string, version?: number | null, options?: RequestOptions): Promise<boolean>;
  getUpgradedDiagramVersion(diagramId: string, version: number, options?: RequestOptions): Promise<UpgradedDiagram>;
}

/** Diagrams and their versions. Source: rest.md 6. */

import { BaseManager } from './base-manager.js';
import { part } from './rest.js';

/**
 * A diagram has the versions 1, 2, 3, ... and perhaps a draft, -1; the highest is the active one. `warnings` (ours) are
 * what the soundness check finds in a version that is activated, each with a run that leads there (docs/soundness.md).
 */
export class DiagramsManager extends BaseManager {
  /** One line for each diagram: `{diagramId, diagramName, description?, active, draft}`. */
  async getDiagrams({ signal } = {}) {
    return (await this.rest.get('diagrams', { signal })).diagrams;
  }

  /** A whole diagram: the active version, or the one named. */
  getDiagram(diagramId, version, { signal } = {}) {
    return this.rest.get(diagramPath(diagramId, version), { signal });
  }

  /** Resolves with `{diagramId, warnings?}`; `active: true` activates it, otherwise it is a draft. */
  createDiagram(diagram, { key, signal } = {}) {
    return this.rest.post('diagrams', diagram, { key, signal });
  }

  /**
   * Store the next version: activated when `diagram.active`, and then the draft is deleted unless `deleteDraft` is false;
   * otherwise as the draft. Resolves with `{success, warnings?}`.
   */
  updateDiagram(diagramId, diagram, { deleteDraft, key, signal } = {}) {
    return this.rest.post(diagramPath(diagramId), { diagram, deleteDraft }, { key, signal });
  }

  /** Delete a diagram with all its versions, or one version of it. */
  async deleteDiagram(diagramId, version, { signal } = {}) {
    return (await this.rest.delete(diagramPath(diagramId, version), { signal })).success;
  }

  /** A version rewritten to centralized data references; nothing is saved. */
  getUpgradedDiagramVersion(diagramId, version, { signal } = {}) {
    return this.rest.get(`${diagramPath(diagramId, version)}/upgraded`, { signal });
  }
}

function diagramPath(diagramId, version) {
  const path = `diagrams/${part(diagramId)}`;
  return version === undefined || version === null ? path : `${path}/${part(String(version))}`;
}

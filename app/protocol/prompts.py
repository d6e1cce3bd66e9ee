"""``StepInfoRequired``: what a running step needs from its user, one form per step type (websocket.md 3.9).

Ours are ``step_type`` (the step's ``actionType``), which tells the forms apart, and ``prompt_id``, which an answer may
name so that it cannot reach a later question of the same step.
"""

from app.protocol.notifications import Body, JobBody


class StepInfoRequired(JobBody, kw_only=True):
    """What all forms share, and the form of step types this server does not know.

    ``allowed_actions`` are the flags of ``AllowedActions``, ``msg_code`` is one of ``codes.MsgCode``.
    """

    step_id: str
    msg: str
    msg_code: str
    allowed_actions: int
    step_type: str
    prompt_id: str
    help_text: str | None = None
    help_link: str | None = None
    can_comment: bool | None = None
    comment_required: bool | None = None
    user_prompt: str | None = None

    @classmethod
    def msg_type(cls) -> str:
        return "StepInfoRequired"

    def shortened(self) -> "StepInfoRequired":
        """The form for viewers whom the step does not wait for: that it asks, not what; nothing may be done."""
        return StepInfoRequired(
            job_id=self.job_id,
            step_id=self.step_id,
            msg=self.msg,
            msg_code=self.msg_code,
            allowed_actions=0,
            step_type=self.step_type,
            prompt_id=self.prompt_id,
        )


class QuestionResponse(Body, kw_only=True):
    """One possible answer; ``value`` is what the answer sends back."""

    name: str
    value: int


class QuestionInfo(StepInfoRequired, kw_only=True):
    """A question with its possible answers, in the author's order."""

    question: str
    question_responses: list[QuestionResponse]


class ManualInfo(StepInfoRequired, kw_only=True):
    """Work done by hand; ``user_prompt`` says which."""


class OpenAppInfo(StepInfoRequired, kw_only=True):
    """An app to work in; ``app_url`` is ready to open."""

    app_url: str


class DefineLocationInfo(StepInfoRequired, kw_only=True):
    """The job's place is wanted: ``Polygon``, ``Polyline`` or ``Multipoint``."""

    prompt: str | None = None
    geometry_type: str
    method_type: str | None = None


class CodedValue(Body, kw_only=True):
    """One value of a coded domain, and the name it is shown by."""

    code: str
    name: str


class PropertyDetail(Body, kw_only=True):
    """A property the user is asked for: ``table.property``, or a member of the job such as ``dueDate``.

    Values travel as text; ``value`` is the present one. Ours are the last three: what the template's
    definition allows, so that a client can ask for nothing that is refused.
    """

    identifier: str
    unique_id: str | None = None
    alias: str | None = None
    value: str | None = None
    data_type: str | None = None
    required: bool = False
    order: int | None = None
    domain_type: str | None = None
    field_length: int | None = None
    coded_values: list[CodedValue] | None = None
    range: list[str | None] | None = None


class UpdatePropertiesInfo(StepInfoRequired, kw_only=True):
    """Extended properties are wanted; ``properties`` in the order they are to be shown."""

    job_template_id: str
    prompt: str | None = None
    properties: list[PropertyDetail]


class AttachmentInfo(StepInfoRequired, kw_only=True):
    """Attachments are wanted; ``accepted_file_types`` is one text such as ``.jpg,.png``."""

    folder: str | None = None
    accepted_file_types: str | None = None
    accept_embedded: bool | None = None
    accept_linked: bool | None = None


class UserDefinedAssignment(Body, kw_only=True):
    """The group whose members may be chosen."""

    group_id: str | None = None


class AdvancedAssignmentInfo(StepInfoRequired, kw_only=True):
    """A user (or group) for the next step is wanted. ``assignment_method`` is ``UserDefined`` or ``Spatial``."""

    assignment_method: str
    user_defined_assignment_options: UserDefinedAssignment | None = None

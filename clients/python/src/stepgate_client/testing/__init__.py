"""A server for the tests of programs that use this client: real sockets, jobs in memory, nothing to install.

    from stepgate_client.testing import FakeServer, FakeStep

    with FakeServer() as server:
        job_id = server.add_job([FakeStep("Survey"), FakeStep("Approve?", question={"Yes": 1, "No": 2})])
        program_under_test(server.url)
        assert server.job(job_id).is_finished

It knows one thing well: jobs whose steps come one after the other, run by hand, with their messages, questions, holds
and answers as the server sends them. It asks for no token and has one user. What it does not know it refuses with
HTTP 501, so a test cannot pass by accident.
"""

from stepgate_client.testing.fake_jobs import FakeJob, FakeStep
from stepgate_client.testing.fake_server import FakeServer, SeenRequest

__all__ = ["FakeJob", "FakeServer", "FakeStep", "SeenRequest"]

# What runs is made by scripts, so that a test can run the same lines without a container engine.

FROM python:3.11-slim-bookworm AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY scripts scripts
COPY clients/python clients/python
COPY clients/js/src clients/js/src
COPY app app
RUN scripts/image-build.sh /opt/stepgate

FROM python:3.11-slim-bookworm
COPY scripts/image-data.sh scripts/
COPY --from=build /opt/stepgate /opt/stepgate
RUN scripts/image-data.sh /data 10001
ENV PATH=/opt/stepgate/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    STEPGATE_HOST=0.0.0.0 \
    STEPGATE_PORT=8080 \
    STEPGATE_DATA_DIR=/data
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['STEPGATE_PORT'] + '/healthz', timeout=2)"]
ENTRYPOINT ["stepgate"]
CMD ["serve"]

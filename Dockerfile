# One image for Docker users and for Binder, with the versions of constraints.txt. In the folder of this file:
#   docker build --tag toxic-comments .
#   docker run --rm --publish 127.0.0.1:8888:8888 --volume "${PWD}:/home/jovyan/course" toxic-comments
# and open the address that it prints, the one with 127.0.0.1. The volume keeps your work in this folder. On Linux,
# where `id -u` does not print 1000, build with: --build-arg NB_UID="$(id -u)"
ARG BASE=python:3.12.13-slim-bookworm
FROM ${BASE}

LABEL org.opencontainers.image.title="Fine-tune a language model to detect toxic comments" \
      org.opencontainers.image.description="A course in Jupyter notebooks, with everything that they need" \
      org.opencontainers.image.source="https://github.com/toxic-comments-course/toxic-comments-course" \
      org.opencontainers.image.licenses="MIT"

# Binder wants a user with this number.
ARG NB_USER=jovyan
ARG NB_UID=1000
ENV USER=${NB_USER} \
    NB_UID=${NB_UID} \
    HOME=/home/${NB_USER} \
    VIRTUAL_ENV=/opt/course \
    PATH=/opt/course/bin:${PATH} \
    PYTHONUNBUFFERED=1
RUN useradd --create-home --shell /bin/bash --uid "${NB_UID}" "${NB_USER}" \
    && mkdir "${VIRTUAL_ENV}" "${HOME}/course" \
    && chown "${NB_UID}" "${VIRTUAL_ENV}" "${HOME}/course"
USER ${NB_USER}
WORKDIR ${HOME}/course

# The packages come before the course, so that a change in a notebook does not install them again. PyTorch's own index
# has the build without NVIDIA's libraries, which are gigabytes and of no use here.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
COPY --chown=${NB_UID} constraints.txt ./
RUN python3 -m venv "${VIRTUAL_ENV}" \
    && python3 -m pip install --no-cache-dir --no-deps --index-url "${TORCH_INDEX}" --constraint constraints.txt torch \
    && python3 -m pip install --no-cache-dir --requirement constraints.txt

COPY --chown=${NB_UID} . ./
RUN python3 -m pip install --no-cache-dir --no-deps --no-build-isolation --editable .

EXPOSE 8888
# JupyterLab answers this without its token.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python3", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8888/api', timeout=4)"]
# Not an ENTRYPOINT: Binder starts the image with a command of its own.
CMD ["jupyter", "lab", "--ip=0.0.0.0", "--port=8888", "--no-browser", "--LabApp.default_url=/lab/tree/notebooks"]

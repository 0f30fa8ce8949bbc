# One image for Docker users and for Binder, with the versions of constraints.txt:
#   docker build --tag toxic-comments .
#   docker run --rm --publish 127.0.0.1:8888:8888 toxic-comments
# and open the address that it prints.
ARG BASE=python:3.12-slim-bookworm
FROM ${BASE}

# Binder wants a user with this number, and so does a Hugging Face Space.
ARG NB_USER=jovyan
ARG NB_UID=1000
ENV USER=${NB_USER} \
    NB_UID=${NB_UID} \
    HOME=/home/${NB_USER} \
    VIRTUAL_ENV=/opt/course \
    PATH=/opt/course/bin:${PATH} \
    PYTHONUNBUFFERED=1
RUN useradd --create-home --shell /bin/bash --uid "${NB_UID}" "${NB_USER}" \
    && mkdir "${VIRTUAL_ENV}" \
    && chown "${NB_UID}" "${VIRTUAL_ENV}"
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
# Not an ENTRYPOINT: Binder starts the image with a command of its own.
CMD ["jupyter", "lab", "--ip=0.0.0.0", "--port=8888", "--no-browser", "--LabApp.default_url=/lab/tree/notebooks"]

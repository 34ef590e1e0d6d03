"""A service with a model that takes a while to load, and the two endpoints that tell its health."""

import os
import threading
import time
from contextlib import asynccontextmanager

from fastapi import FastAPI, Response

# Set to the time that loading takes, to try what slow starts do.
LOAD_SECONDS = float(os.getenv("LOAD_SECONDS", "1"))

model_loaded = threading.Event()


def load_model():
    time.sleep(LOAD_SECONDS)
    model_loaded.set()


@asynccontextmanager
async def lifespan(_: FastAPI):
    # In a thread of its own: /livez has to answer while the model is loaded.
    threading.Thread(target=load_model, daemon=True).start()
    yield


app = FastAPI(root_path=os.getenv("TFY_SERVICE_ROOT_PATH", ""))
app.router.lifespan_context = lifespan  # FastAPI(lifespan=…), from FastAPI 0.93 on


# Both are async: what they need is there at once, and they do not wait for a free thread while all are computing.
@app.get("/livez")
async def liveness():
    return True


@app.get("/readyz")
async def readiness(response: Response):
    # A probe looks at the status alone: `return False` would be 200 OK, and ready.
    if not model_loaded.is_set():
        response.status_code = 503
    return model_loaded.is_set()


@app.get("/")
async def root():
    return {"message": "Hello World", "served_by": os.getpid()}

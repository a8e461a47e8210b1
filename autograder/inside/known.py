"""Modules that exist in the world and may be absent here, by what a program loses without them.

    SHOWS    what draws, prints, logs, tracks, summarises or waits: nothing is computed with it
    KNOWN    whatever else people import beside PyTorch: its values count
    BARS     of SHOWS, progress bars: a call with something to go through goes through it
    PRINTS   of SHOWS, what prints: a call prints, or is printed as, what it is given
    VERBS    what their functions are called that print at once
    TEXTS    functions that give text which only another absent service would read
    RETURNS  functions that give back what they are given
    OWN      what people call modules of their own; nobody publishes those

Names are those of import statements, not of distributions. A module that stands in none of these
lists is not thereby a mistake: `absent` asks a person about it.
"""

from __future__ import annotations

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


BARS = _words(
    """
    alive_progress atpbar clint enlighten fastprogress ipypb jupyterlab_progress p_bar pkbar
    progiter progress progressbar progressist pyprind stqdm tqdm_loggable
    """
)
SHOWS = BARS | _words(
    """
    _tkinter adjustText aim altair ansi art beautifultable better_exceptions blessed blessings
    bokeh bqplot brokenaxes cairosvg calflops captum carbontracker celluloid chart_studio
    clearml cmocean codecarbon colorama colorcet colored coloredlogs colorlog comet_ml cowsay
    crayons cufflinks daiquiri dash dash_bootstrap_components dataframe_image dearpygui devtools
    discord docx dtale dvclive eco2ai eliot emoji flopth folium fpdf fvcore ggplot google.colab
    gpustat GPUtil gradio graphviz great_tables gtts halo hiddenlayer holoviews humanfriendly
    humanize hvplot hyperdash icecream ipdb ipycanvas ipympl ipyplot ipyvolume ipywidgets
    itables joypy jupyter_dash jupyternotify jupyterthemes kaleido knockknock labellines lime
    line_profiler livelossplot logfire loguru logzero losswise lux matplotlib_inline
    matplotlib_venn memory_profiler missingno mlflow modelsummary mpl_interactions mplcyberpunk
    mpld3 mplfinance neptune netron nglview nicegui notify2 nvidia_smi nvitop objprint openpyxl
    palettable pandas_profiling panel pivottablejs playsound plotly plotly_express plotnine
    plyer pprintpp pptx pretty_errors pretty_html_table prettyprinter prettytable
    prometheus_client proplot ptflops ptitprince pudb pushbullet py3nvml pydot pyecharts
    pyfiglet pygal pygame pyglet pygraphviz pyinstrument pync pynvml pyperclip PyQt5 PyQt6
    PySide2 PySide6 pysnooper pythreejs pytorch_grad_cam pytorch_model_summary pyttsx3
    pyvirtualdisplay qgrid reportlab rich scalene scienceplots scikitplot seaborn seaborn_image
    sendgrid sentry_sdk shap slack slack_sdk snakeviz snoop squarify stackprinter streamlit
    structlog sty swanlab sweetviz tableprint tabulate telegram telegram_send tensorboard
    tensorboard_logger tensorboardX termcolor terminaltables texttable thop tikzplotlib tkinter
    torch_tb_profiler torchcam torchinfo torchlens torchprofile torchsnooper torchstat
    torchsummary torchsummaryX torchview torchviz trackio trains turtle twilio ultraplot varname
    verboselogs visdom visualtorch viztracer wandb watermark web_pdb win10toast winsound
    wordcloud wx xlsxwriter xlwt yagmail yaspin ydata_profiling yellowbrick
    """
)
KNOWN = _words(
    """
    absl accelerate adabelief_pytorch adamp adan_pytorch addict aiohttp albumentations ale_py
    annoy apex arrow arviz ase astropy asynchat asyncore attr attrs audiomentations augly
    autogluon autosklearn av ax azure backoff bayes_opt beartype Bio bitsandbytes boltons boto3
    botocore botorch bottleneck box box2d bs4 cachetools caffe cartopy casadi catalyst catboost
    category_encoders cattr cattrs chainer chardet charset_normalizer chex click clip
    cloudpickle cma cmdstanpy coclust composer configargparse confuse coremltools cppyy cudf
    cuml cupy cv2 cvxopt cvxpy Cython cytoolz d2l dadaptation darts dask datasets dateutil deap
    decorator decouple deeplake deepspeed deprecated deprecation detectron2 dgl diffusers dill
    dirty_cat diskcache distributed distutils django docopt dotenv dotmap duckdb dynaconf e3nn
    easydict ecos edward efficientnet_pytorch einop einops ema_pytorch emcee equinox evaluate
    factor_analyzer fairscale faiss faker fastai fastapi fastcore fastparquet feather
    feature_engine ffcv ffmpeg filelock filterpy findspark fire flair flaml flash_attn flask
    flax flwr freezegun fsspec ftfy functorch funcy future fuzzywuzzy gcsfs gdown gensim
    geopandas gin gluonts gmpy2 google gpytorch gym gymnasium h2o h5py haiku hdbscan higher
    hmmlearn hnswlib horovod httpx huggingface_hub hydra hyperopt hypothesis idx2numpy ignite
    imageio imageio_ffmpeg imagenet_stubs imblearn imgaug imp import_ipynb imutils
    intel_extension_for_pytorch ipykernel ipyparallel jax jaxlib jaxtyping jellyfish jieba
    jinja2 joblib jsonargparse kaggle kaggle_secrets kagglehub keras keras_core keras_cv
    keras_nlp keras_tuner kornia kymatio laspy learn2learn Levenshtein librosa lifelines
    lightgbm lightly lightning lightning_fabric lion_pytorch litdata lmdb loky lpips lxml lz4
    madgrad marshmallow MDAnalysis medmnist mesa mido minigrid ml_collections ml_dtypes
    mlcroissant mljar mlx mlxtend mmcv mmdet mmengine mne mnist mock modin monai more_itertools
    moviepy mpi4py mpmath msgpack mujoco MulticoreTSNE multiprocess munch music21 mxnet MySQLdb
    nbdev nbformat netCDF4 networkx neuralforecast nevergrad nibabel nltk nni nptyping numba
    numexpr numpyro nvidia nystrom_attention oct2py omegaconf onnx onnxruntime opacus open3d
    open_clip opendatasets OpenGL openslide OpenSSL openTSNE openvino optax optuna orjson
    ortools ot pacmap paddle pandarallel pandas pandasql papermill parameterized pathos patoolib
    peft pendulum pettingzoo pgmpy phate pingouin pint piq pkg_resources plum pmdarima pmlb
    polars pooch portalocker poutyne pretrainedmodels pretty_midi prodigyopt prophet psutil
    psycopg2 pulp py7zr pyarrow pybind11 pybullet pycaret pycocotools pycuda pydantic pydash
    pydicom pygad pykalman pymatgen pymc pymc3 pymongo pyod pyomo pyproj pyro pyspark pystan
    pyswarm pytest pytorch_fid pytorch_forecasting pytorch_lightning pytorch_metric_learning
    pytorch_msssim pytorch_optimizer pytorch_ranger pytorch_tabnet pytorch_toolbelt
    pytorch_warmup pytorch_wavelets pytz pywt quadprog radam ranger ranger21 rapidfuzz rarfile
    rasterio ray rdkit redis regex requests retry retrying ruamel s3fs sacred sagemaker
    schedulefree scipy scrapy scs segmentation_models_pytorch selenium sentence_transformers
    sentencepiece setuptools shapely simple_parsing SimpleITK simplejson simpy six skimage
    sklearn sklearn_pandas sklearnex skopt skorch sktime snntorch sortedcontainers soundfile
    spacy spikingjelly sqlalchemy stable_baselines3 statsmodels submitit sympy syne_tune tables
    tenacity tensorflow tensorflow_addons tensorflow_datasets tensorflow_hub
    tensorflow_probability tensorly tensorrt textblob tf_keras theano tiktoken timm tokenizers
    toml tomli tomlkit toolz torch_cluster torch_ema torch_fidelity torch_geometric
    torch_lr_finder torch_optimizer torch_pruning torch_scatter torch_snippets torch_sparse
    torch_spline_conv torch_xla torchao torchattacks torchaudio torchbearer torchdata
    torchdiffeq torcheval torchio torchlayers torchmetrics torchopt torchrl torchsampler
    torchsde torchsort torchtext torchtnt torchtune torchtyping torchvf torchx tpot transformers
    tree trimap triton trl tsai tslearn tsnecuda tvm typeguard typer typing_extensions tyro
    tzlocal ujson ultralytics umap uncertainties unidecode unyt urllib3 vit_pytorch vllm
    warmup_scheduler webcolors webdataset wget wilds wrapt xarray xformers xgboost xlrd xxhash
    yacs yaml yolov5 zarr zstandard
    """
)
PRINTS = _words(
    """
    beautifultable colorlog coloredlogs daiquiri icecream logzero loguru objprint pprintpp
    prettyprinter prettytable rich snoop structlog tableprint tabulate termcolor terminaltables
    texttable verboselogs
    """
)
VERBS = _words(
    """
    cprint critical debug echo error exception fatal ic info log notice op pp pprint print rule
    success table trace warning
    """
)
TEXTS = _words("google.colab.userdata.get kaggle_secrets.UserSecretsClient.get_secret")
RETURNS = _words(
    """
    beartype.beartype clearml.Task.connect deprecated.deprecated icecream.ic jaxtyping.jaxtyped
    line_profiler.profile memory_profiler.profile numba.jit numba.njit snoop.pp
    termcolor.colored typeguard.typechecked
    """
)
OWN = _words(
    """
    architecture architectures assignment base callbacks code common config configs constants
    core custom data data_loader data_utils dataloader dataloaders dataset engine eval
    evaluation exercise experiment func functions helper helper_functions helpers homework lab
    layer layers lib libs load_data loaders logger loop loss losses main metrics mlp model
    models module modules mymodel mynet net nets network networks notebook optim optimizer
    options params plot plots plotting predict preprocess preprocessing project run script
    scripts settings setup solution solutions src test tests tools train trainer training
    transform transforms util utilities utils validate vis visualize
    """
)
_BAR = re.compile(r"(.*_)?(tqdm|progress|progress_?bar|prog_?bar|pbar|track)", re.IGNORECASE)
_PARENTS = frozenset(n.rpartition(".")[0] for n in SHOWS | KNOWN if "." in n)


def entry(path: str) -> str:
    """The longest part of a dotted path that is listed, or ""."""
    while path and path not in SHOWS and path not in KNOWN:
        path = path.rpartition(".")[0]
    return path


def kind(path: str) -> bool | None:
    """Whether the module or function at a dotted path only shows something (True) or computes
    (False); None where no part of it is listed.
    """
    found = entry(path)
    return found in SHOWS if found else None


def listed_below(module: str) -> bool:
    """Whether a part of a module is listed by itself (`google.colab` of `google`)."""
    return module in _PARENTS


def iterates(path: str) -> bool:
    """Whether a call of `path` is known, or says by its name, to be a progress bar."""
    return path.partition(".")[0] in BARS or bool(_BAR.fullmatch(path.rpartition(".")[2]))

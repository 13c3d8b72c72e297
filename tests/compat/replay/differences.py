"""Where Sluice deliberately answers otherwise than MLflow 3.17, and why. A rule explains a difference only when the label
fits and both answers are what it says, so that it cannot hide another fault."""

import re
from dataclasses import dataclass

POSITION = re.compile(r" \(at character \d+, (near '.*'|the end)\)\.?$", re.DOTALL)
SET = re.compile(r"\{([^{}]*)\}")


def comparable(answer):
    """The answer without what has no order or is an addition: sets that MLflow prints in hash order are sorted, and the
    place in the filter that Sluice adds to its messages is cut off."""
    if isinstance(answer, dict):
        return {k: (plain(v) if k == "message" and isinstance(v, str) else comparable(v)) for k, v in answer.items()}
    if isinstance(answer, list):
        return [comparable(v) for v in answer]
    return answer


def plain(message):
    message = SET.sub(lambda m: "{" + ", ".join(sorted(m[1].split(", "))) + "}", message)
    return POSITION.sub("", message)


@dataclass
class Difference:
    name: str
    reason: str
    label: str = ""  # regular expression, searched in the case's label
    reference: tuple = (None, "")  # status (None: any), and a regular expression found in the answer
    ours: tuple = (None, "")

    def explains(self, label, status, answer, our_status, our_answer):
        return bool(re.search(self.label, label) and self.fits(self.reference, status, answer)
                    and self.fits(self.ours, our_status, our_answer))

    @staticmethod
    def fits(wanted, status, answer):
        return wanted[0] in (None, status) and re.search(wanted[1], str(answer), re.DOTALL) is not None


INVALID = (400, "INVALID_PARAMETER_VALUE")
DIFFERENCES = [
    # Texts.
    Difference("no SQL in messages", "a message of the database's driver, with its statement, helps nobody and says too much",
               reference=(400, r"IntegrityError|\[SQL"), ours=(400, "RESOURCE_ALREADY_EXISTS|INVALID_PARAMETER_VALUE")),
    Difference("the wider grammar's comparators", "the list of what may stand there is longer",
               "search", (400, "Invalid comparator"), (400, "Invalid comparator .* not one of")),
    Difference("where a filter went wrong", "the message says what was expected at which character, not which tokens were left over",
               "search", (400, r"Invalid clause\(s\)|multiple expression|While parsing|Could not be parsed|Invalid entity type"),
               (400, r"at character \d+")),
    Difference("where an order went wrong", "the message says what was expected",
               "order ", (400, "order"), (400, "expected|Could not be parsed")),
    Difference("page tokens", "Sluice's are not base64 of an offset; the message says what to do",
               "page_token", (400, "page token"), (400, "Invalid page token")),
    Difference("texts of source rules", "said in our own words; error code and what is refused are the same",
               "model-versions/create", (400, "source"), (400, "source")),
    Difference("missing values in one form", "the same text for every missing field",
               "get-download-uri|model-versions/get", (400, "version|name"), (400, "Missing value for required parameter")),
    Difference("what may be searched and ordered by", "the same keys, listed in one form everywhere",
               "search", (400, "Valid keys are"), (400, "Valid keys are")),
    Difference("a finer error class", "nothing reads it", "logged-models/search.*field_name': 'nothing'", (400, "Invalid order by field name: nothing"),
               (400, "Invalid order by field name: nothing")),
    Difference("experiments: long locations", "no variable changes this limit",
               "long location", (400, "Invalid artifact path length"), (400, "Invalid artifact path length")),

    # A fault of the reference, answered cleanly.
    Difference("half-read requests", "on a wrong type the reference drops the rest of the message and goes on",
               r"runs/create .*tags|log-batch [5678] |metrics/get-history.*max_results=abc|runs/create .*start_time|log-inputs|"
               r"experiments/create|search-datasets", (200, ""), INVALID),
    Difference("500 for a request's fault", "the client would repeat it for minutes", "", (500, ""), (400, "INVALID_PARAMETER_VALUE|INVALID_STATE")),
    Difference("negative experiment ids", "no experiment can have one", r"experiment_id=-1", (404, ""), INVALID),
    Difference("unknown status names", "silence would lose what the client meant", "NOT A STATUS|nonsense", (200, ""), INVALID),
    Difference("experiments/search without max_results", "serving a page is kinder", r"experiments/search \{\}", (400, "max_results"), (200, "experiments")),
    Difference("blank filters", "a filter of blanks filters nothing", r"search \[ +\]", (400, "Could not be parsed"), (200, "runs")),
    Difference("a key that is missing", "`metrics. = 5` names no metric", r"search \[metrics\. = 5\]", (200, ""), INVALID),
    Difference("registered-models/search of zero", "as everywhere else, a page has at least one row",
               r"registered-models/search\?max_results=0", (200, ""), INVALID),
    Difference("unquoted text in logged-models/search", "as in every other search", "logged-models/search.*name = 5", (200, ""), INVALID),
    Difference("status in logged-models/search", "the reference compares the name with a number and finds nothing",
               "logged-models/search.*status = 'READY'", (200, ""), (200, "clf")),
    Difference("metrics of a dataset", "the metric was logged with that dataset", "logged-models/search.*'dataset_name': 'd'", (200, ""), (200, "clf")),
    Difference("backslash and NUL in a path", "refused on every artifact route", r"put a%(5c|00)b", (200, ""), (400, "Invalid path")),

    # The house's own form.
    Difference("JSON instead of pages", "errors are JSON on every route, with the same status", "", (None, "^<page>$"), (None, "error_code")),
    Difference("server-info", "there is no gateway, and uploads in parts are offered", "server-info", (200, "gateway"), (200, "'gateway': False")),
    Difference("mlflow.log-model.history", "the same JSON, without blanks", "", (200, "log-model.history"), (200, "log-model.history")),
    Difference("paths refused before routing", "the target itself is refused, with MLflow's code and text", "put .*(%2f|%2e)", (400, "Invalid path"),
               (400, "INVALID_PARAMETER_VALUE")),
]

"""The MIME types of what a notebook stores for its report, beside what it shows."""

#: A value with a name: `{"name", "value", "text"}`.
RECORD_MIME = "application/vnd.coursework.record+json"

#: A file or folder that was read: `{"name", "path", "sha256", "files"}`.
INPUT_MIME = "application/vnd.coursework.input+json"

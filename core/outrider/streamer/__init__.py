"""The streamer: the process that carries a run's records from its folder to the server.

    spawn (in the trainer) → __main__ → loop ─┬─ watch       what grows, and syncs it to disk
                                              ├─ roster      who writes, who ended and how
                                              │   ├─ process, ends
                                              │   └─ witness     of a death: oom, xid, sigterm
                                              ├─ sender      to the server, by its offsets
                                              │   └─ cursor, retry, resume, describe
                                              ├─ status      delivery-<host>.json
                                              ├─ own         the streamer's own journal
                                              ├─ adopt       older runs that were left undelivered
                                              └─ companions  sampling, plugins' sinks, hooks
    outrider sync → foreground                    the same parts without a process of their own

``retry``, ``cursor`` and ``ends`` are plain functions of plain values; clock, transport and folder
come in from outside. Only ``spawn`` and ``lock`` are imported by the trainer.
"""

"""The streamer: the process that carries a run's records from its folder to the server.

    spawn (in the trainer) → __main__ → loop ─┬─ watch    what grows in the folder, synced to disk
                                              ├─ ends     how each writer's process ended
                                              ├─ sender   records to the server, by its offsets
                                              ├─ sinks    records to plugins' destinations
                                              ├─ sampling rows of system metrics
                                              └─ adopt    older runs that were left undelivered

``retry``, ``cursor`` and the deciding half of ``ends`` are plain functions of plain values; clock,
transport and folder come in from outside. Only ``spawn`` and ``lock`` are imported by the trainer.
"""

"""The write path: a request is authorised, decided, appended and answered; timers are requests too."""

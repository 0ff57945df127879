"""Django's command line for this site.

export BETTER_AUTH_SECRET=$(portico secret)
export DJANGO_SECRET_KEY=$(portico secret)
export BETTER_AUTH_URL=http://localhost:3000
portico migrate acme.accounts:auth
python manage.py runserver --noreload 3000
"""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "acme.settings")
    execute_from_command_line(sys.argv)

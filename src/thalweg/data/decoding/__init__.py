"""From one picture file to pixels, or to a reason that people understand."""

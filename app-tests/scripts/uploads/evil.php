<?php echo "was run";

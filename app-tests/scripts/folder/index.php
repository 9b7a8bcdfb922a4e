<?php echo "the index of a folder, in ", basename(getcwd()), "\n", json_encode($_GET), "\n";

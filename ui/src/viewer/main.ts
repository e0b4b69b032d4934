import './viewer.css';
import { Viewer } from './viewer';
import { wayOf } from './way';

const way = wayOf(location);
if (way) new Viewer(way);
else location.replace('/');
